"""Where a mapped value goes: `person.name.firstName`, `items[*].SKU`, `identityMap.Email[0].id`."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from cdp.datasets.mapping.errors import ExpressionInvalid, RowInvalid

_STEP: Final = re.compile(r"(?P<name>[^.\[\]]+)(?P<at>\[(?:\*|\d{1,3})\])?(?:\.|$)")


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path; `at` is an array position, `*` for all, None if it is no array."""

    name: str
    at: int | str | None


@lru_cache(maxsize=8_192)
def parse_path(text: str) -> tuple[Step, ...]:
    """Return the steps of a destination. Raises `ExpressionInvalid`.

    >>> parse_path("items[*].SKU")
    (Step(name='items', at='*'), Step(name='SKU', at=None))
    """
    steps, position = [], 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ExpressionInvalid(f"'{text}' is no path.", position)
        at = (match["at"] or "")[1:-1]
        steps.append(Step(match["name"], at if at == "*" else int(at) if at else None))
        position = match.end()
    if not steps or text.endswith("."):
        raise ExpressionInvalid(f"'{text}' is no path.")
    if sum(step.at == "*" for step in steps) > 1:
        raise ExpressionInvalid(f"'{text}' has more than one [*]; map the inner array as a whole.")
    return tuple(steps)


def plain_path(text: str) -> str:
    """Return a path without its brackets, as schemas name fields.

    >>> plain_path("items[*].SKU")
    'items.SKU'
    """
    return ".".join(step.name for step in parse_path(text))


def put(record: dict[str, Any], steps: tuple[Step, ...], value: Any) -> None:
    """Write a value into a record, making what is on the way; null writes nothing.

    Behind a `[*]` the value is an array that is dealt out item by item. Raises
    `RowInvalid` if something else is in the way.
    """
    if value is None:
        return
    step, *rest = steps
    below = tuple(rest)
    if step.at is None:
        if not below:
            record[step.name] = value
            return
        put(_object(record, step.name), below, value)
        return
    items = _array(record, step.name)
    if step.at == "*":
        values = value if isinstance(value, list) else [value]
        if not below:
            values = [item for item in values if item is not None]
        for index, item in enumerate(values):
            _put_at(items, index, below, item)
    else:
        _put_at(items, int(step.at), below, value)


def _put_at(items: list[Any], index: int, below: tuple[Step, ...], value: Any) -> None:
    if index > len(items):
        raise RowInvalid(f"An array cannot get an item {index} while it has {len(items)}.")
    if not below:
        items[index : index + 1] = [value]
        return
    if index == len(items):
        items.append({})
    if not isinstance(items[index], dict):
        raise RowInvalid("An array item is a value already and cannot hold fields.")
    put(items[index], below, value)


def _object(record: dict[str, Any], name: str) -> dict[str, Any]:
    value = record.setdefault(name, {})
    if not isinstance(value, dict):
        raise RowInvalid(f"'{name}' is a value already and cannot hold fields.")
    return value


def _array(record: dict[str, Any], name: str) -> list[Any]:
    value = record.setdefault(name, [])
    if not isinstance(value, list):
        raise RowInvalid(f"'{name}' is a value already and cannot be an array.")
    return value
