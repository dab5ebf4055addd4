"""Whether the limits that a field states make sense: enums, ranges, lengths, counts."""

from collections.abc import Iterator, Mapping
from typing import Any

from cdp.schemas.registry.problems import Problem
from cdp.schemas.registry.xdm_types import RANGES

_PAIRS = {
    "string": [("minLength", "maxLength")],
    "array": [("minItems", "maxItems")],
    "object": [("minProperties", "maxProperties")],
    "number": [("minimum", "maximum"), ("exclusiveMinimum", "exclusiveMaximum")],
    "integer": [("minimum", "maximum"), ("exclusiveMinimum", "exclusiveMaximum")],
    "boolean": [],
}
_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
}
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")


def check_limits(kind: str, node: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Refuse limits that contradict each other or belong to another type."""
    if "enum" in node:
        yield from _check_enum(kind, node["enum"], path)
    if "meta:enum" in node and not isinstance(node["meta:enum"], Mapping):
        yield Problem("enum", "'meta:enum' is an object of values and their titles.", path)
    for low, high in _PAIRS[kind]:
        yield from _check_pair(node, low, high, path)
    step = node.get("multipleOf")
    if step is not None and (not _is_number(step) or step <= 0):
        yield Problem("range", "'multipleOf' is a number above 0.", path)
    width = node.get("meta:xdmType")
    if kind == "integer" and width is not None and width not in RANGES:
        detail = f"The 'meta:xdmType' of an integer is one of {', '.join(RANGES)}."
        yield Problem("type-missing", detail, path)


def _check_enum(kind: str, values: Any, path: str) -> Iterator[Problem]:
    expected = _PYTHON.get(kind)
    if expected is None or not isinstance(values, list) or not values:
        yield Problem("enum", "'enum' is a list of at least one plain value.", path)
        return
    for value in values:
        is_flag = isinstance(value, bool)
        if not isinstance(value, expected) or is_flag != (kind == "boolean"):
            yield Problem("enum", f"The enum value {value!r} is not of type {kind}.", path)


def _check_pair(node: Mapping[str, Any], low: str, high: str, path: str) -> Iterator[Problem]:
    for keyword in (low, high):
        limit = node.get(keyword)
        if limit is None:
            continue
        if not _is_number(limit):
            yield Problem("range", f"'{keyword}' is a number.", path)
            return
        if keyword in _COUNTS and (not isinstance(limit, int) or limit < 0):
            yield Problem("range", f"'{keyword}' is a whole number, 0 or more.", path)
            return
    if low in node and high in node and node[low] > node[high]:
        yield Problem("range", f"'{low}' is above '{high}': nothing could fit.", path)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
