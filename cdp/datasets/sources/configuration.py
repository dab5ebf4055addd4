"""Checking what is to be read against its JSON Schema."""

from collections.abc import Mapping
from typing import Any

from cdp.datasets.sources.base import SourceType
from cdp.outgoing.accounts import check, with_defaults


def checked_selection(
    source_type: type[SourceType], selection: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is to be read, defaults filled in. Raises `Invalid`."""
    whole = with_defaults(source_type.selection_schema, selection)
    check("selection", source_type.selection_schema, whole)
    return whole
