"""All schemas of a class that Profile reads, seen as one.

A union validates nothing: it is the vocabulary in which rules, merges, mappings
and messages speak of a person. So only places and types count here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from cdp.schemas.registry.fields import Field
from cdp.schemas.registry.merge import Node, merge
from cdp.schemas.registry.problems import Problem, refuse_if
from cdp.schemas.registry.resolve import DIALECT

Member = tuple[str, Node, Mapping[str, Field]]

_KEPT = ("type", "format", "title", "description", "meta:enum", "meta:status")


def conflicts(members: Sequence[tuple[str, Mapping[str, Field]]]) -> Iterator[Problem]:
    """Find the paths that two schemas use for different things."""
    known: dict[str, tuple[str, Field]] = {}
    for title, fields in members:
        for path, field in fields.items():
            first_title, first = known.setdefault(path, (title, field))
            if _shape(first) != _shape(field):
                yield Problem(
                    "union-conflict",
                    f"'{path}' is {_described(first)} in the schema '{first_title}' and "
                    f"{_described(field)} in '{title}'; both cannot describe one person.",
                    path,
                )


def join_fields(members: Iterable[Mapping[str, Field]]) -> dict[str, Field]:
    """Give the fields of the union; labels and suggested values add up."""
    joined: dict[str, Field] = {}
    for fields in members:
        for path, field in fields.items():
            joined[path] = _both(joined[path], field) if path in joined else _loose(field)
    return joined


def union(title: str, uri: str, members: Sequence[Member]) -> Node:
    """Make the resolved form of a union; raises `Refused` with every conflict."""
    refuse_if(conflicts([(name, fields) for name, _, fields in members]))
    joined: Node = {"type": "object", "properties": {}}
    for _, resolved, _ in members:
        joined = merge(joined, _vocabulary(resolved))
    return {"$schema": DIALECT, "$id": uri, **joined, "title": title}


def _vocabulary(node: Node) -> Node:
    """Leave what a place is, drop what its values must be."""
    words: Node = {keyword: node[keyword] for keyword in _KEPT if keyword in node}
    if "enum" in node:
        words.setdefault("meta:enum", {str(value): str(value) for value in node["enum"]})
    if "properties" in node:
        words["properties"] = {k: _vocabulary(v) for k, v in node["properties"].items()}
    if isinstance(node.get("items"), dict):
        words["items"] = _vocabulary(node["items"])
    if isinstance(node.get("additionalProperties"), dict):
        words["additionalProperties"] = _vocabulary(node["additionalProperties"])
    return words


def _shape(field: Field) -> tuple[str, str | None, bool, tuple[str, ...]]:
    return field.type, field.format, field.array, field.in_array


def _described(field: Field) -> str:
    kind = f"{field.type} ({field.format})" if field.format else field.type
    return f"a list of {kind}" if field.array else kind


def _loose(field: Field) -> Field:
    suggested = field.suggested or tuple(str(value) for value in field.enum)
    return replace(field, required=False, enum=(), suggested=suggested)


def _both(first: Field, second: Field) -> Field:
    suggested = dict.fromkeys([*first.suggested, *_loose(second).suggested])
    return replace(
        first,
        suggested=tuple(suggested),
        labels=first.labels | second.labels,
        deprecated=first.deprecated and second.deprecated,
        namespace=first.namespace or second.namespace,
        primary=first.primary or second.primary,
    )
