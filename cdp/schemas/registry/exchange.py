"""Schemas on their way from one organization to another.

A tenant's name stands in ids and in field paths. An export has a placeholder there,
the one that other XDM tools use, and an import puts the new tenant's name in.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from cdp.schemas.registry.names import NAMESPACE_ROOT, tenant_root
from cdp.schemas.registry.resources import references

PLACEHOLDER = "<XDM_TENANTID_PLACEHOLDER>"


def anonymous(document: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """Write a document without the tenant's name.

    >>> anonymous({"properties": {"_luma": {"type": "object"}}}, "luma")
    {'properties': {'_<XDM_TENANTID_PLACEHOLDER>': {'type': 'object'}}}
    """
    uri = f"{NAMESPACE_ROOT}{tenant}/"
    # A path (`_luma.tier`, `/_luma/tier`) or an alternative id (`_luma.schemas.4f`).
    root = re.compile(rf"(?<![\w-]){re.escape(tenant_root(tenant))}(?![\w-])")

    def rename(text: str) -> str:
        if text.startswith(uri):
            return f"{NAMESPACE_ROOT}{PLACEHOLDER}/{text.removeprefix(uri)}"
        return root.sub(f"_{PLACEHOLDER}", text)

    return _renamed(document, rename)


def localised(document: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """Write a document with this tenant's name in place of the placeholder."""
    return _renamed(document, lambda text: text.replace(PLACEHOLDER, tenant))


def in_order(
    documents: Iterable[Mapping[str, Any]],
) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Sort documents so that each comes after those it refers to.

    The second list names those that refer to themselves in a circle.
    """
    known = {str(document.get("$id")): document for document in documents}
    circular: list[str] = []
    while True:
        wanted = {
            uri: sorted((references(document) & known.keys()) - {*circular, uri})
            for uri, document in known.items()
            if uri not in circular
        }
        try:
            order = list(TopologicalSorter(wanted).static_order())
        except CycleError as error:
            circular.extend(dict.fromkeys(error.args[1]))
        else:
            return [known[uri] for uri in order], circular


def _renamed(node: Mapping[str, Any], rename: Callable[[str], str]) -> dict[str, Any]:
    """Rename keys, and texts that are ids or paths."""
    return {rename(key): _renamed_value(value, rename) for key, value in node.items()}


def _renamed_value(value: Any, rename: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return _renamed(value, rename)
    if isinstance(value, list):
        return [_renamed_value(entry, rename) for entry in value]
    return rename(value) if isinstance(value, str) else value
