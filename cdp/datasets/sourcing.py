"""Asking sources: what they offer, what it looks like, and where it may belong."""

from collections.abc import Mapping
from typing import Any

from cdp.datasets.models import Connection
from cdp.datasets.services.connections import asking
from cdp.datasets.sources.base import Entry, Sample
from cdp.datasets.sources.configuration import checked_selection


def explore(connection: Connection, path: str) -> list[Entry]:
    """List what a source has below a path. Raises `SourceFailed`."""
    with asking(connection) as source:
        return source.explore(path)


def preview(connection: Connection, selection: Mapping[str, Any]) -> Sample:
    """Return columns and the first rows. Raises `SourceFailed` or `Invalid`."""
    with asking(connection) as source:
        return source.preview(checked_selection(type(source), selection))
