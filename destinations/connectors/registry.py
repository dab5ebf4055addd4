"""The kinds of destination there are; each is registered in `destinations/apps.py`."""

from cdp.errors import NotFound
from destinations.connectors.base import Connector

_connectors: dict[str, type[Connector]] = {}


def register(connector: type[Connector]) -> None:
    """Add a kind. Raises `ValueError` if its name is taken."""
    if connector.kind in _connectors:
        raise ValueError(f"There is a connector '{connector.kind}' already")
    _connectors[connector.kind] = connector


def list_connectors() -> list[type[Connector]]:
    """Return every kind, by title."""
    return sorted(_connectors.values(), key=lambda connector: connector.title)


def get_connector(kind: str) -> type[Connector]:
    """Return the kind. Raises `NotFound`, naming those that exist."""
    if kind not in _connectors:
        known = ", ".join(sorted(_connectors))
        raise NotFound(f"There is no destination type '{kind}'. There are: {known}.")
    return _connectors[kind]
