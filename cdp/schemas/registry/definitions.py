"""Whether a tenant's own document says what a schema here may say.

Standard and imported documents are taken as they are; what a tenant writes is
held to the part of JSON Schema that every reader of the data understands: the
validator, the stores, the segment language, exports.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cdp.schemas.registry.formats import FORMATS
from cdp.schemas.registry.limits_of_fields import check_limits
from cdp.schemas.registry.names import check_field_name, check_siblings, tenant_root
from cdp.schemas.registry.pattern_parser import NotPortable, parse
from cdp.schemas.registry.problems import Problem
from cdp.schemas.registry.resources import Kind, Resource
from cdp.schemas.registry.wellformed import check_form

Find = Callable[[str], Resource | None]

MAX_NESTING = 20
TYPES = ("string", "number", "integer", "boolean", "object", "array")
_NOT_PLAIN = (
    *("oneOf", "anyOf", "not", "if", "then", "else", "dependencies", "dependentSchemas"),
    *("patternProperties", "propertyNames", "prefixItems", "contains", "$dynamicRef"),
    *("unevaluatedProperties", "unevaluatedItems", "additionalItems", "const"),
)
_MAY_EXTEND = {
    Kind.CLASS: {Kind.CLASS, Kind.BEHAVIOR, Kind.FIELD_GROUP},
    Kind.FIELD_GROUP: {Kind.FIELD_GROUP},
    Kind.DATA_TYPE: {Kind.DATA_TYPE},
    Kind.SCHEMA: {Kind.CLASS, Kind.FIELD_GROUP},
}


def check_definition(
    kind: Kind, document: Mapping[str, Any], tenant: str, find: Find
) -> Iterator[Problem]:
    """Tell everything that is wrong with a tenant's document, by itself.

    Whether it fits together with others is for `composing` to say.
    """
    malformed = list(check_form(document))
    if malformed:
        yield from malformed
        return
    if document.get("type", "object") != "object":
        yield Problem("malformed", f"A {kind.noun} describes an object: its type is 'object'.")
    yield from _check_extended(kind, document, find)
    if kind is Kind.FIELD_GROUP:
        yield from _check_classes(document, find)
    if kind is not Kind.DATA_TYPE:
        yield from _check_root(document, tenant)
    definitions = document.get("definitions", {})
    checker = _Checker(find, definitions, tenant)
    yield from checker.properties(document, "")
    for name, node in definitions.items():
        yield from checker.node(node, f"definitions.{name}")


def _check_extended(kind: Kind, document: Mapping[str, Any], find: Find) -> Iterator[Problem]:
    """Check what stands in `allOf` and what the document itself refers to."""
    for branch in document.get("allOf", []):
        ref = branch.get("$ref") if isinstance(branch, Mapping) else None
        if not isinstance(ref, str) or len(branch) != 1:
            yield Problem("malformed", 'An entry of \'allOf\' is {"$ref": "..."}.', "allOf")
        elif not ref.startswith("#/definitions/"):
            found = find(ref.partition("#")[0])
            if found is None:
                yield Problem("unknown-reference", f"There is no resource with the id {ref}.")
            elif found.kind not in _MAY_EXTEND[kind]:
                detail = f"A {kind.noun} cannot extend '{found.title}', a {found.kind.noun}."
                yield Problem("reference-kind", detail)


def _check_classes(document: Mapping[str, Any], find: Find) -> Iterator[Problem]:
    """Check that the classes a field group names are classes."""
    for uri in document.get("meta:intendedToExtend", []):
        found = find(str(uri))
        if found is None or found.kind is not Kind.CLASS:
            yield Problem("unknown-reference", f"There is no class with the id {uri}.")


def _check_root(document: Mapping[str, Any], tenant: str) -> Iterator[Problem]:
    """Keep a tenant's own fields under the tenant's root object."""
    root = tenant_root(tenant)
    for name in _root_names(document):
        if name != root:
            yield Problem(
                "tenant-namespace",
                f"Your own fields stand under '{root}': make this '{root}.{name.lstrip('_')}'.",
                name,
            )


def _root_names(document: Mapping[str, Any]) -> Iterator[str]:
    yield from document.get("properties", {})
    definitions = document.get("definitions", {})
    for branch in document.get("allOf", []):
        ref = branch.get("$ref", "") if isinstance(branch, Mapping) else ""
        part = definitions.get(str(ref).removeprefix("#/definitions/"), {})
        yield from part.get("properties", {}) if isinstance(part, Mapping) else ()


class _Checker:
    """Checks the nodes of one document."""

    def __init__(self, find: Find, definitions: Mapping[str, Any], tenant: str) -> None:
        self.find = find
        self.definitions = definitions
        self.root = tenant_root(tenant)

    def properties(self, node: Mapping[str, Any], path: str, depth: int = 1) -> Iterator[Problem]:
        properties = node.get("properties", {})
        if depth > MAX_NESTING:
            yield Problem("nesting", f"Fields nest at most {MAX_NESTING} levels deep.", path)
            return
        yield from check_siblings(properties, path)
        for name, child in properties.items():
            below = f"{path}.{name}" if path else name
            if below != self.root:
                yield from check_field_name(name, below)
            yield from self.node(child, below, depth + 1)
        yield from _check_required(node, properties, path)

    def node(self, node: Any, path: str, depth: int = 1) -> Iterator[Problem]:
        if not isinstance(node, Mapping):
            yield Problem("malformed", "A field is described by an object.", path)
            return
        for keyword in _NOT_PLAIN:
            if keyword in node:
                detail = f"'{keyword}' cannot be used; say the field's one type."
                yield Problem("plain-types", detail, path)
        if "$ref" in node:
            yield from self.reference(node["$ref"], path)
            return
        kind = node.get("type", "object" if "properties" in node or "allOf" in node else None)
        if not isinstance(kind, str) or kind not in TYPES:
            yield Problem("type-missing", f"Give the field a type: {', '.join(TYPES)}.", path)
            return
        yield from check_limits(kind, node, path)
        yield from _check_text(node, path)
        if kind == "array":
            yield from self.items(node, path, depth)
        elif kind == "object":
            for branch in node.get("allOf", []):
                yield from self.node(branch, path, depth)
            yield from self.properties(node, path, depth)
            yield from self.map_values(node, path)

    def reference(self, ref: Any, path: str) -> Iterator[Problem]:
        text = str(ref)
        if text.startswith("#/definitions/"):
            if text.removeprefix("#/definitions/") not in self.definitions:
                yield Problem("unknown-reference", f"There is nothing at {text}.", path)
            return
        found = self.find(text.partition("#")[0])
        if found is None:
            yield Problem("unknown-reference", f"There is no resource with the id {text}.", path)
        elif found.kind is not Kind.DATA_TYPE:
            detail = f"A field refers to a data type; '{found.title}' is a {found.kind.noun}."
            yield Problem("reference-kind", detail, path)

    def items(self, node: Mapping[str, Any], path: str, depth: int) -> Iterator[Problem]:
        items = node.get("items")
        if not isinstance(items, Mapping):
            yield Problem("type-missing", "Say in 'items' what the array holds.", path)
        elif items.get("type") == "array":
            yield Problem("array-of-arrays", "An array cannot hold arrays.", path)
        else:
            yield from self.node(items, path, depth + 1)

    def map_values(self, node: Mapping[str, Any], path: str) -> Iterator[Problem]:
        values = node.get("additionalProperties")
        if values is None:
            return
        if node.get("properties"):
            detail = "An object has known fields, or is a map; it cannot be both."
            yield Problem("map-values", detail, path)
        elif not isinstance(values, Mapping):
            yield Problem("map-values", "Say in 'additionalProperties' what the map holds.", path)
        elif values.get("type") not in ("string", "integer", "number", "boolean"):
            detail = "A map holds plain values: string, integer, number or boolean."
            yield Problem("map-values", detail, path)
        else:
            yield from self.node(values, f"{path}.*")


def _check_required(
    node: Mapping[str, Any], properties: Mapping[str, Any], path: str
) -> Iterator[Problem]:
    if path:  # at the root it may name fields that another resource brings
        for name in node.get("required", []):
            if name not in properties:
                detail = f"'{name}' is required but not among the properties."
                yield Problem("malformed", detail, f"{path}.{name}")


def _check_text(node: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Check what belongs to strings only."""
    form = node.get("format")
    if form is not None and (form not in FORMATS or node.get("type") != "string"):
        detail = f"A string may have one of these formats: {', '.join(FORMATS)}."
        yield Problem("format", detail, path)
    if "pattern" in node:
        try:
            parse(str(node["pattern"]))
        except NotPortable as error:
            detail = f"The pattern {node['pattern']!r} cannot be used: {error}."
            yield Problem("portable-pattern", detail, path)
