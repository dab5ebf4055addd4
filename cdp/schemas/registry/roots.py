"""The names at the root of standard records, which no tenant may have for its own."""

from collections.abc import Iterator
from functools import cache

from cdp.schemas.registry.catalogue import standard_document, standard_resources
from cdp.schemas.registry.names import NAMESPACE_ROOT
from cdp.schemas.registry.resolve import resolve
from cdp.schemas.registry.resources import Kind

# Roots of the published standard that our own catalogue happens not to use.
_PUBLISHED = frozenset({"experience", "repo", "xdm"})
_AT_ROOT = frozenset({Kind.BEHAVIOR, Kind.CLASS, Kind.FIELD_GROUP})


@cache
def standard_roots() -> frozenset[str]:
    """Give the names without a leading underscore and in lower case.

    >>> "commerce" in standard_roots(), "id" in standard_roots(), "luma" in standard_roots()
    (True, True, False)
    """
    return _PUBLISHED | {name.lstrip("_").lower() for name in _names()}


def _names() -> Iterator[str]:
    for uri, resource in standard_resources().items():
        if uri.startswith(NAMESPACE_ROOT):
            yield uri.removeprefix(NAMESPACE_ROOT).partition("/")[0]
        if resource.kind in _AT_ROOT:
            yield from resolve(resource.document, standard_document).get("properties", {})
