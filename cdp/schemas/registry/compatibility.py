"""What a schema in use may no longer change.

Once a dataset stands on a schema, or Profile reads it, records with its fields
exist. From then on it may only grow: every reader of old data must still be right.
"""

from collections.abc import Iterator
from typing import Any

from cdp.schemas.registry.merge import Node
from cdp.schemas.registry.problems import Problem

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_FIXED = ("pattern", "const", "multipleOf", "uniqueItems", "oneOf", "anyOf", "not", "if")


def breaks(before: Node, after: Node, path: str = "") -> Iterator[Problem]:
    """Tell how the second resolved schema refuses what the first one took.

    A field that becomes required is not among them: it holds for new records.
    """
    if _kind(before) != _kind(after):
        detail = f"'{path}' is {_kind(before)} and cannot become {_kind(after)}."
        yield Problem("type-changed", detail, path)
        return
    if before.get("format") != after.get("format"):
        old, new = before.get("format", "none"), after.get("format", "none")
        yield Problem("format-changed", f"'{path}' has the format {old}, not {new}.", path)
    yield from _narrowed_enum(before, after, path)
    yield from _narrowed_limits(before, after, path)
    yield from _below(before, after, path)


def _below(before: Node, after: Node, path: str) -> Iterator[Problem]:
    properties = after.get("properties", {})
    for name, node in before.get("properties", {}).items():
        place = f"{path}.{name}" if path else name
        if name not in properties:
            detail = f"'{place}' may hold data already: it cannot be removed, renamed or moved."
            yield Problem("field-removed", f"{detail} Deprecate it instead.", place)
        else:
            yield from breaks(node, properties[name], place)
    if isinstance(before.get("items"), dict) and isinstance(after.get("items"), dict):
        yield from breaks(before["items"], after["items"], path)
    old, new = before.get("additionalProperties"), after.get("additionalProperties")
    if isinstance(old, dict):
        if isinstance(new, dict):
            yield from breaks(old, new, f"{path}.*")
        else:
            detail = f"'{path}' takes any name already and cannot be closed."
            yield Problem("narrowed", detail, path)


def _narrowed_enum(before: Node, after: Node, path: str) -> Iterator[Problem]:
    if "enum" not in after:
        return
    if "enum" not in before:
        detail = f"'{path}' takes any value already; 'meta:enum' suggests values instead."
        yield Problem("enum-narrowed", detail, path)
        return
    lost = [value for value in before["enum"] if value not in after["enum"]]
    if lost:
        shown = ", ".join(map(repr, lost[:10]))
        yield Problem("enum-narrowed", f"'{path}' must go on taking {shown}.", path)


def _narrowed_limits(before: Node, after: Node, path: str) -> Iterator[Problem]:
    for keyword in (*_LOWER, *_UPPER):
        if keyword in after and _is_tighter(keyword, before.get(keyword), after[keyword]):
            detail = f"'{path}' cannot get a tighter {keyword} ({after[keyword]})."
            yield Problem("range-narrowed", detail, path)
    for keyword in _FIXED:
        if keyword in after and after[keyword] != before.get(keyword, False):
            yield Problem("narrowed", f"'{path}' cannot get another {keyword}.", path)


def _is_tighter(keyword: str, before: Any, after: Any) -> bool:
    if before is None:
        return True
    return bool(after > before if keyword in _LOWER else after < before)


def _kind(node: Node) -> str:
    """Name what a node holds, so that a map and an object are two kinds."""
    if node.get("meta:xdmType") == "map":
        return "a map"
    kind = node.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
