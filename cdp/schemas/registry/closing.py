"""What a folded schema leaves open is written down, so that nothing slips through.

- Objects with known fields take no others; a misspelt name is an error, not data.
- Names under a map or a free object carry no dots and no NUL: the stores split
  a dotted name into levels, and two records would become one.
- `null` is no value: a key without one is left out.
- Whole numbers stay within what every reader can hold.
- Every node says its `meta:xdmType`.
"""

from typing import Any

from cdp.schemas.registry.merge import Node
from cdp.schemas.registry.xdm_types import whole_number_range, xdm_type

KEY = {"pattern": "^[^\\x00.]+$"}
ANYTHING = {"$ref": "#/$defs/anything"}
_ANYTHING: Node = {
    "type": ["string", "number", "boolean", "object", "array"],
    "propertyNames": KEY,
    "additionalProperties": ANYTHING,
    "items": ANYTHING,
    # The event store has one type for the items of a list, and true would become 1 or 'true'.
    "if": {"contains": {"type": "boolean"}},
    "then": {"items": {"type": "boolean"}},
    # So it has for those of the lists in a list.
    "allOf": [
        {
            "if": {"contains": {"$ref": "#/$defs/holding_booleans"}},
            "then": {"items": {"$ref": "#/$defs/booleans"}},
        }
    ],
}
_DEFINITIONS: Node = {
    "anything": _ANYTHING,
    "holding_booleans": {
        "anyOf": [
            {"type": "boolean"},
            {"type": "array", "contains": {"$ref": "#/$defs/holding_booleans"}},
        ]
    },
    "booleans": {"type": ["boolean", "array"], "items": {"$ref": "#/$defs/booleans"}},
}
_SETTLES = {"type", "enum", "const", "oneOf", "anyOf", "$ref"}


def close(schema: Node) -> Node:
    """Close a folded schema and everything below it."""
    closed = _close(schema)
    return {**closed, "$defs": _DEFINITIONS} if _mentions_anything(closed) else closed


def _close(node: Node) -> Node:
    if not node.keys() & _SETTLES:
        return {**node, **ANYTHING}
    closed = dict(node)
    kind = node.get("type")
    if kind == "object":
        _close_object(closed)
    elif kind == "array":
        closed["items"] = _close(node["items"]) if "items" in node else ANYTHING
    elif kind == "integer":
        closed["minimum"], closed["maximum"] = whole_number_range(node)
    if isinstance(kind, str):
        closed["meta:xdmType"] = xdm_type(node)
    return closed


def _close_object(node: Node) -> None:
    for keyword in ("properties", "patternProperties"):
        if keyword in node:
            node[keyword] = {name: _close(below) for name, below in node[keyword].items()}
    others: Any = node.get("additionalProperties")
    if others is None and (node.get("properties") or node.get("patternProperties")):
        # Alternatives may bring fields of their own, which only `unevaluated...` lets through.
        alternatives = node.keys() & {"oneOf", "anyOf", "if"}
        node["unevaluatedProperties" if alternatives else "additionalProperties"] = False
    elif others is not False:
        node["additionalProperties"] = _close(others) if isinstance(others, dict) else ANYTHING
        node["propertyNames"] = (
            {"allOf": [node["propertyNames"], KEY]} if "propertyNames" in node else KEY
        )


def _mentions_anything(node: Any) -> bool:
    if isinstance(node, dict):
        return node.get("$ref") == ANYTHING["$ref"] or any(map(_mentions_anything, node.values()))
    return isinstance(node, list) and any(map(_mentions_anything, node))
