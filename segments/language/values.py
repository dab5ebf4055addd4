"""The values that paths have in documents, as their kinds are compared."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any as Json

from segments.language.ast import Field
from segments.language.facts import Document, Look
from segments.language.scopes import Bound
from segments.language.tree_windows import read_timestamp
from segments.language.vocabulary import EVENT_ID, EVENT_TIME, EVENT_TYPE, Kind

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

Values = Callable[[Look], Sequence[Json]]


def reader(field: Field, bound: Bound) -> Values:
    """Return what reads a field's values: without those that are missing or of another kind."""
    if field.of == "event" and field.path in _OWN:
        return _OWN[field.path]
    raw, typed = raw_reader(field), TYPED[bound.known.kind]

    def read(look: Look) -> Sequence[Json]:
        found = raw(look)
        if len(found) == 1:  # by far the most
            value = typed(found[0])
            return () if value is None else (value,)
        return [value for each in found if (value := typed(each)) is not None]

    return read


def raw_reader(field: Field) -> Values:
    """Return what reads whatever stands at a path, through every array on the way."""
    names = tuple(field.path.split("."))
    match field.of:
        case "profile":
            return lambda look: _at(look.case.profile, names)
        case "event":
            return lambda look: _at(look.event.body, names) if look.event else ()
        case _:
            return lambda look: _at(look.item, names)


def items_reader(field: Field) -> Callable[[Look], Sequence[Document]]:
    """Return what reads the items of an array of objects."""
    raw = raw_reader(field)
    return lambda look: [item for item in raw(look) if isinstance(item, Mapping)]


def _at(node: Json, names: tuple[str, ...]) -> Sequence[Json]:
    for depth, name in enumerate(names):
        if isinstance(node, dict):
            node = node.get(name)
        elif isinstance(node, list):
            return list(_below(node, names[depth:]))
        else:
            return ()
    if isinstance(node, list):
        return list(_below(node, ()))
    return () if node is None else (node,)


def _below(node: Json, names: Sequence[str]) -> Iterator[Json]:
    if isinstance(node, list):
        for item in node:
            yield from _below(item, names)
    elif not names:
        if node is not None:
            yield node
    elif isinstance(node, dict) and names[0] in node:
        yield from _below(node[names[0]], names[1:])


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Json) -> float | None:
    return float(value) if _is_number(value) else None


def _integer(value: Json) -> int | None:
    return value if isinstance(value, int) and _is_number(value) else None


def _boolean(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


def _time(value: Json) -> int | None:
    if not isinstance(value, str) or not TIMESTAMP.fullmatch(value):
        return None
    try:
        return read_timestamp(value)
    except ValueError:  # no such day or hour
        return None


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


TYPED: Mapping[Kind, Callable[[Json], Json]] = {
    "text": _text,
    "day": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "time": _time,
    "object": lambda value: value,
}
"""A value as its kind is compared, None if it is of another kind.

>>> TYPED["time"]("2026-01-01T00:00:00Z"), TYPED["integer"]("5")
(1767225600000, None)
"""

_OWN: Mapping[str, Values] = {
    EVENT_TIME: lambda look: (look.event.at,) if look.event else (),
    EVENT_TYPE: lambda look: (look.event.type,) if look.event else (),
    EVENT_ID: lambda look: (look.event.id,) if look.event else (),
}
