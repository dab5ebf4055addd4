"""A made-up record that a schema accepts, for people to see what one looks like."""

import re
from typing import Any

from cdp.schemas.registry import patterns
from cdp.schemas.registry.merge import Node
from cdp.schemas.registry.problems import Problem, Refused
from cdp.schemas.registry.validation import CompiledSchema

_BY_FORMAT = {
    "date": "2026-02-28",
    "date-time": "2026-02-28T12:30:00.000Z",
    "email": "ada@example.com",
    "ipv4": "192.0.2.7",
    "ipv6": "2001:db8::7",
    "time": "12:30:00Z",
    "uri": "https://example.com/7",
    "uri-reference": "https://example.com/7",
    "uuid": "0d5cf7a0-8d0f-4b2e-9a53-1f2a3b4c5d6e",
}
_ROUNDS = 200


def sample_record(schema: CompiledSchema) -> dict[str, Any]:
    """Make a record with every field that can be made up.

    What an unusual constraint forbids is left out. Raises `Refused` where even the
    required fields cannot be made up.
    """
    record: dict[str, Any] = _value(schema.resolved, "")
    for _ in range(_ROUNDS):
        errors = schema.validate(record)
        if not errors:
            return record
        _leave_out(record, errors[0].path)
    detail = f"No example could be made up; look at '{schema.validate(record)[0].path}'."
    raise Refused(Problem("no-sample", detail))


def _value(node: Node, name: str) -> Any:
    said = [node[keyword] for keyword in ("const", "default") if keyword in node]
    said += [node[keyword][0] for keyword in ("examples", "enum") if node.get(keyword)]
    if said:
        return said[0]
    if "anyOf" in node or "oneOf" in node:
        chosen = (node.get("anyOf") or node["oneOf"])[0]
        node = {**node, **chosen, "properties": _joined(node, chosen)}
    match node.get("type"):
        case "object":
            return _object(node, name)
        case "array":
            count = max(node.get("minItems", 1), 1)
            return [_value(node.get("items", {}), name) for _ in range(count)]
        case "boolean":
            return True
        case "integer":
            return round(_number(node))
        case "number":
            return _number(node)
    return _text(node, name)


def _object(node: Node, name: str) -> dict[str, Any]:
    record = {key: _value(child, key) for key, child in node.get("properties", {}).items()}
    others = node.get("additionalProperties")
    if isinstance(others, dict) and "$ref" not in others:
        record["Email" if name == "identityMap" else "example"] = _value(others, name)
    return record


def _joined(node: Node, chosen: Node) -> Node:
    return {**node.get("properties", {}), **chosen.get("properties", {})}


def _number(node: Node) -> float:
    low = _limit(node, ("minimum", "exclusiveMinimum"), 0)
    high = _limit(node, ("maximum", "exclusiveMaximum"), low + 2)
    step: float | None = node.get("multipleOf")
    if step:
        return -(-max(low, step) // step) * step
    value = max(low, min(1.0, high))
    if value in (node.get("exclusiveMinimum"), node.get("exclusiveMaximum")):
        return (low + high) / 2
    return float(value)


def _limit(node: Node, keywords: tuple[str, ...], default: float) -> float:
    return next((float(node[keyword]) for keyword in keywords if keyword in node), default)


def _text(node: Node, name: str) -> str:
    least, most = node.get("minLength", 0), node.get("maxLength", 10_000)
    if "pattern" in node:
        return patterns.example(node["pattern"], least)
    if node.get("meta:enum"):
        return str(next(iter(node["meta:enum"])))
    text = _BY_FORMAT.get(str(node.get("format")), name or "text")
    return text.ljust(least, "x")[:most]


def _leave_out(record: dict[str, Any], path: str) -> None:
    """Take out what the error points at, or what holds it where it is missing."""
    steps: list[Any] = [
        int(part) if part.isdigit() else part
        for part in re.findall(r"\[(\d+)\]|([^.\[\]]+)", path)
        for part in [part[0] or part[1]]
    ]
    while steps:
        holder: Any = record
        for step in steps[:-1]:
            holder = _step(holder, step)
        if _step(holder, steps[-1]) is not None:
            del holder[steps[-1]]
            return
        steps.pop()


def _step(holder: Any, step: Any) -> Any:
    if isinstance(holder, dict):
        return holder.get(str(step))
    if isinstance(holder, list) and isinstance(step, int) and step < len(holder):
        return holder[step]
    return None
