"""Asking sources: what they offer, what it looks like, and where it may belong."""

from collections.abc import Mapping
from typing import Any

from cdp.datasets.errors import SourceFailed
from cdp.datasets.models import Connection
from cdp.datasets.services.connections import source_of
from cdp.datasets.sources.base import Entry, Sample, SourceError
from cdp.datasets.sources.configuration import checked_selection


def explore(connection: Connection, path: str) -> list[Entry]:
    """List what a source has below a path. Raises `SourceFailed`."""
    try:
        return source_of(connection).explore(path)
    except SourceError as error:
        raise SourceFailed(error.detail) from error


def preview(connection: Connection, selection: Mapping[str, Any]) -> Sample:
    """Return columns and the first rows. Raises `SourceFailed` or `Invalid`."""
    source = source_of(connection)
    try:
        return source.preview(checked_selection(type(source), selection))
    except SourceError as error:
        raise SourceFailed(error.detail) from error
