"""A resolved schema as a flat list of fields."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cdp.schemas.registry.merge import Node


@dataclass(frozen=True, slots=True)
class Field:
    """One place in a record.

    `path` has no brackets: `productListItems.SKU`; `array` says that the value
    itself is a list (then `type` is that of its items), `in_array` names the lists
    around it, outermost first. The values of a map stand under `*`.
    `required` means: whenever the object around it is there.
    """

    path: str
    type: str
    xdm_type: str = ""
    format: str | None = None
    array: bool = False
    in_array: tuple[str, ...] = ()
    required: bool = False
    title: str = ""
    description: str = ""
    enum: tuple[Any, ...] = ()
    suggested: tuple[str, ...] = ()
    deprecated: bool = False
    labels: frozenset[str] = frozenset()
    namespace: str | None = None
    primary: bool = False

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def is_leaf(self) -> bool:
        """Whether it holds values rather than further fields."""
        return self.type not in ("object", "map")


def fields_of(resolved: Node) -> dict[str, Field]:
    """List the fields of a resolved schema by path, parents before children.

    >>> list(fields_of({"type": "object", "properties": {"a": {"type": "string"}}}))
    ['a']
    """
    return {field.path: field for field in _below(resolved, "", ())}


def may_hold(fields: Mapping[str, Field], path: str) -> bool:
    """Tell whether a record can have a value at a path, also under a free key.

    >>> fields = {"a": Field("a", "map"), "a.*": Field("a.*", "string"), "b": Field("b", "object")}
    >>> may_hold(fields, "a.key"), may_hold(fields, "b.any.thing"), may_hold(fields, "a.key.more")
    (True, True, False)
    """
    place = ""
    for name in path.split("."):
        above = f"{place}." if place else ""
        found = next((p for p in (above + name, f"{above}*") if p in fields), None)
        if found is None:
            is_free = place in fields and not fields[place].is_leaf
            return is_free and not any(other.startswith(above) for other in fields)
        place = found
    return True


def labelled(fields: Mapping[str, Field], labels: Mapping[str, Iterable[str]]) -> dict[str, Field]:
    """Put labels on fields; a label of an object holds for everything below it."""
    marked = dict(fields)
    for path, names in labels.items():
        for place in fields:
            if place == path or place.startswith(f"{path}."):
                marked[place] = replace(marked[place], labels=marked[place].labels.union(names))
    return marked


def _below(node: Node, path: str, arrays: tuple[str, ...]) -> Iterator[Field]:
    """Walk what stands under a node whose own path is `path`."""
    required = node.get("required", ())
    for name, child in _children(node).items():
        yield from _field(child, f"{path}.{name}" if path else name, arrays, name in required)
    others = node.get("additionalProperties")
    if path and isinstance(others, dict) and "$ref" not in others:
        yield from _field(others, f"{path}.*", arrays, required=False)


def _children(node: Node) -> dict[str, Node]:
    """Give the known fields, also those that an alternative brings."""
    children = dict(node.get("properties", {}))
    alternatives = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    alternatives += [node[keyword] for keyword in ("then", "else") if keyword in node]
    for branch in alternatives:
        for name, child in _children(branch).items():
            children.setdefault(name, child)
    return children


def _field(node: Node, path: str, arrays: tuple[str, ...], required: bool) -> Iterator[Field]:
    items = node.get("items") if node.get("type") == "array" else None
    array = isinstance(items, dict) and items.get("type") != "array"
    value: Node = items if array and items is not None else node
    yield Field(
        path=path,
        type=_type(value),
        xdm_type=value.get("meta:xdmType", ""),
        format=value.get("format"),
        array=array,
        in_array=arrays,
        required=required,
        title=node.get("title") or value.get("title", ""),
        description=node.get("description") or value.get("description", ""),
        enum=tuple(value.get("enum", ())),
        suggested=() if "enum" in value else tuple(value.get("meta:enum", ())),
        deprecated="deprecated" in (node.get("meta:status"), value.get("meta:status")),
    )
    yield from _below(value, path, (*arrays, path) if array else arrays)


def _type(node: Node) -> str:
    """Give the JSON type; a node that says none, or several, may hold anything."""
    if node.get("meta:xdmType") == "map":
        return "map"
    kind = node.get("type")
    return kind if isinstance(kind, str) else "any"
