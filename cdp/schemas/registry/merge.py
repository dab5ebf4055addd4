"""Two descriptions of one place become one, or are found to contradict each other."""

from collections.abc import Callable, Mapping
from typing import Any

from cdp.schemas.registry.problems import Problem, Refused

Node = dict[str, Any]

_LARGER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_SMALLER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_SAME = (
    "type",
    "format",
    "pattern",
    "const",
    "multipleOf",
    "oneOf",
    "anyOf",
    "not",
    "if",
    "then",
    "else",
    "prefixItems",
    "propertyNames",
    "contains",
)


def merge(first: Node, second: Node, path: str = "") -> Node:
    """Describe what satisfies both; wording of the first wins.

    Raises `Refused` where nothing could satisfy both, naming the path.
    """
    if first is second or not second:
        return first
    merged = dict(first)
    for keyword, value in second.items():
        if keyword not in merged:
            merged[keyword] = value
        elif merged[keyword] != value:
            merged[keyword] = _both(keyword, merged[keyword], value, path)
    return merged


def _both(keyword: str, first: Any, second: Any, path: str) -> Any:
    if keyword in _LARGER:
        return max(first, second)
    if keyword in _SMALLER:
        return min(first, second)
    if keyword in _SAME:
        raise Refused(_conflict(keyword, first, second, path))
    combine = _COMBINE.get(keyword)
    return combine(first, second, path) if combine else first


def _properties(first: Node, second: Node, path: str) -> Node:
    merged = dict(first)
    for name, node in second.items():
        below = f"{path}.{name}" if path else name
        merged[name] = merge(merged[name], node, below) if name in merged else node
    return merged


def _additional(first: Any, second: Any, path: str) -> Any:
    if first is False or second is False:
        return False
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return merge(dict(first), dict(second), f"{path}.*")
    return first if isinstance(first, Mapping) else second


def _enum(first: list[Any], second: list[Any], path: str) -> list[Any]:
    shared = [value for value in first if value in second]
    if not shared:
        raise Refused(_conflict("enum", first, second, path))
    return shared


def _conflict(keyword: str, first: Any, second: Any, path: str) -> Problem:
    return Problem(
        "conflicting-field",
        f"'{path}' is described twice with a different {keyword}: {first!r} and {second!r}.",
        path,
    )


_COMBINE: dict[str, Callable[[Any, Any, str], Any]] = {
    "properties": _properties,
    "patternProperties": _properties,
    "items": merge,
    "additionalProperties": _additional,
    "enum": _enum,
    "required": lambda first, second, _: list(dict.fromkeys([*first, *second])),
    "meta:enum": lambda first, second, _: {**second, **first},
    "uniqueItems": lambda first, second, _: first or second,
}
