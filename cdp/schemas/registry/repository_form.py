"""Public XDM files say `xdm:firstName`; a registry says `firstName`.

The published files name fields as JSON-LD does. In a registry the prefix `xdm:` is
dropped, `@id` is `_id`, `schema:latitude` is `_schema.latitude`, and a name that is
an address becomes a path: `https://ns.adobe.com/experience/a/b` is `_experience.a.b`.
"""

from collections.abc import Mapping
from typing import Any

from cdp.schemas.registry.merge import merge
from cdp.schemas.registry.names import NAMESPACE_ROOT

_NAMED = ("properties", "definitions", "$defs", "patternProperties")
_DATA = ("enum", "examples", "default", "const")
_CONTEXT = "https://ns.adobe.com/xdm/common/extensible"


def registry_path(name: str) -> list[str]:
    """Give the path that a published field name has in a registry.

    >>> registry_path("xdm:firstName"), registry_path("@id"), registry_path("repo:etag")
    (['firstName'], ['_id'], ['_repo', 'etag'])
    >>> registry_path("https://ns.adobe.com/experience/mcid")
    ['_experience', 'mcid']
    """
    if name.startswith(NAMESPACE_ROOT):
        first, *rest = name.removeprefix(NAMESPACE_ROOT).strip("/").split("/")
        return [f"_{first}", *rest]
    if name.startswith("@"):
        return [f"_{name[1:]}"]
    prefix, colon, rest_of_name = name.partition(":")
    if not colon or "/" in rest_of_name:
        return [name]
    return [rest_of_name] if prefix == "xdm" else [f"_{prefix}", rest_of_name]


def in_registry_form(document: Mapping[str, Any]) -> dict[str, Any]:
    """Rewrite the field names of a document; one in registry form comes back unchanged."""
    form: dict[str, Any] = _node(document)
    form.pop("meta:license", None)  # credit is kept once, in the NOTICE of the catalogue
    return form


def _node(node: Any) -> Any:
    if not isinstance(node, Mapping):
        return node  # true and false are schemas, too
    written: dict[str, Any] = {}
    for keyword, value in node.items():
        if keyword == "properties" and isinstance(value, Mapping):
            written["properties"] = _properties(value)
        elif keyword == "required" and isinstance(value, list):
            continue
        elif keyword == "allOf" and isinstance(value, list):
            branches = [_node(branch) for branch in value if not _is_context(branch)]
            if branches:
                written["allOf"] = branches
        elif keyword == "$ref" and isinstance(value, str):
            written["$ref"] = _reference(value)
        else:
            written[keyword] = _value(keyword, value)
    for name in node.get("required", []):
        _require(written, registry_path(str(name)))
    return written


def _value(keyword: str, value: Any) -> Any:
    if keyword in _DATA or keyword.startswith("meta:"):
        return value
    if keyword in _NAMED and isinstance(value, Mapping):
        return {k: _node(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_node(entry) for entry in value]
    return _node(value)


def _properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the fields; several of one prefix meet in one object."""
    written: dict[str, Any] = {}
    for name, node in properties.items():
        first, *rest = registry_path(name)
        below = _node(node)
        for step in reversed(rest):
            below = {"type": "object", "properties": {step: below}}
        known = written.get(first)
        written[first] = merge(known, below, first) if known and rest else below
    return written


def _reference(ref: str) -> str:
    """Rename the fields that a reference passes on its way into a document."""
    uri, mark, fragment = ref.partition("#")
    steps = fragment.split("/")
    for index in range(1, len(steps)):
        if steps[index - 1] == "properties":
            name = steps[index].replace("~1", "/").replace("~0", "~")
            steps[index] = "/properties/".join(registry_path(name))
    return uri + mark + "/".join(steps)


def _require(node: dict[str, Any], path: list[str]) -> None:
    """Mark a field as required, in the object that holds it."""
    first, *rest = path
    if not rest:
        node.setdefault("required", []).append(first)
    elif first in node.get("properties", {}):
        _require(node["properties"][first], rest)


def _is_context(branch: Any) -> bool:
    """Tell whether a branch only brings the JSON-LD context, which says nothing about data."""
    ref = branch.get("$ref", "") if isinstance(branch, Mapping) else ""
    return str(ref).partition("#")[0] == _CONTEXT
