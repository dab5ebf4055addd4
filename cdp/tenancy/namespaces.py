"""Tenant namespaces that no organization may take, because something standard has the name.

The kernel cannot know the standard fields, so the app that does registers here.
"""

from collections.abc import Callable, Collection
from typing import Final

from cdp.errors import FieldError, Invalid

PATH: Final = "tenant_namespace"
_lookups: dict[str, Callable[[], Collection[str]]] = {}


def register(what: str, lookup: Callable[[], Collection[str]]) -> None:
    """Reserve names for `what`, as in 'a standard field'. Raises `ValueError` if taken."""
    if what in _lookups:
        raise ValueError(f"{what} has registered already")
    _lookups[what] = lookup


def check_free(namespace: str) -> None:
    """Raise `Invalid` if the namespace is the name of something standard."""
    for what, lookup in _lookups.items():
        if namespace.lower() in lookup():
            detail = (
                f"'{namespace}' is the name of {what}, so fields under '_{namespace}' could be "
                "taken for it. Choose another namespace, such as your company's name."
            )
            error = FieldError(path=PATH, code="reserved", detail=detail)
            raise Invalid(detail, errors=[error])
