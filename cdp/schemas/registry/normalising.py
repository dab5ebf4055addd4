"""Numbers written as the schema's type.

The event store keeps `1` and `1.0` as different types, and a query would miss one
of them. So a `number` is always a float and an `integer` always an int.
"""

from collections.abc import Callable
from typing import Any

from cdp.schemas.registry.merge import Node

Rewrite = Callable[[Any], Any]


def numbers_of(resolved: Node) -> Rewrite | None:
    """Make the function that rewrites the numbers of one kind of record.

    It returns the record itself where nothing changes and a copy along the changed
    paths where something does; None means that no number can occur.
    """
    kind = resolved.get("type")
    if kind == "number":
        return _as_float
    if kind == "integer":
        return _as_int
    if kind == "array":
        rewrite = numbers_of(resolved.get("items", {}))
        return _items(rewrite) if rewrite else None
    if kind == "object":
        return _object(resolved)
    return None


def _as_float(value: Any) -> Any:
    return float(value) if type(value) is int else value


def _as_int(value: Any) -> Any:
    return int(value) if type(value) is float else value


def _items(rewrite: Rewrite) -> Rewrite:
    def rewrite_items(values: Any) -> Any:
        if type(values) is not list:
            return values
        written = [rewrite(value) for value in values]
        return written if _any_differs(written, values) else values

    return rewrite_items


def _any_differs(written: list[Any], values: list[Any]) -> bool:
    return any(new is not old for new, old in zip(written, values, strict=True))


def _object(node: Node) -> Rewrite | None:
    known = {name: numbers_of(child) for name, child in node.get("properties", {}).items()}
    rewrites = {name: rewrite for name, rewrite in known.items() if rewrite}
    others = node.get("additionalProperties")
    rest = numbers_of(others) if isinstance(others, dict) else None
    if not rewrites and rest is None:
        return None

    def rewrite_fields(record: Any) -> Any:
        if type(record) is not dict:
            return record
        written = None
        for name, value in record.items():
            rewrite = rewrites.get(name) or (rest if name not in known else None)
            if rewrite is None:
                continue
            new = rewrite(value)
            if new is not value:
                written = dict(record) if written is None else written
                written[name] = new
        return record if written is None else written

    return rewrite_fields
