"""The XDM name of a type, and the range of the whole numbers."""

from typing import Any

from cdp.schemas.registry.merge import Node

# A bare integer is a `long`, and a long ends where a double still counts exactly:
# browsers and other readers of JSON hold every number as a double.
RANGES = {
    "byte": (-(2**7), 2**7 - 1),
    "short": (-(2**15), 2**15 - 1),
    "int": (-(2**31), 2**31 - 1),
    "long": (-(2**53) + 1, 2**53 - 1),
}
_PLAIN = {"number": "double", "boolean": "boolean", "array": "array", "object": "object"}


def whole_number_range(node: Node) -> tuple[int, int]:
    """Give the range an integer field takes, never wider than a long."""
    low, high = RANGES.get(str(node.get("meta:xdmType")), RANGES["long"])
    return max(low, _whole(node.get("minimum"), low)), min(high, _whole(node.get("maximum"), high))


def xdm_type(node: Node) -> str:
    """Name the XDM type of a field.

    >>> xdm_type({"type": "integer", "minimum": -32768, "maximum": 32767})
    'short'
    >>> xdm_type({"type": "object", "additionalProperties": {"type": "string"}})
    'map'
    """
    kind = str(node["type"])
    if kind == "string":
        form = node.get("format")
        return form if form in ("date", "date-time") else "string"
    if kind == "integer":
        low, high = whole_number_range(node)
        return next(name for name, (least, most) in RANGES.items() if least <= low and high <= most)
    if kind == "object" and is_map(node):
        return "map"
    return _PLAIN[kind]


def is_map(node: Node) -> bool:
    """Tell whether an object has free keys with values of one described kind."""
    others = node.get("additionalProperties")
    return isinstance(others, dict) and bool(others) and not node.get("properties")


def _whole(limit: Any, default: int) -> int:
    return default if limit is None else int(limit)
