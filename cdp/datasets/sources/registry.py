"""The kinds of source there are; each is registered in `cdp/datasets/apps.py`."""

from cdp.datasets.sources.base import SourceType
from cdp.errors import NotFound

_types: dict[str, type[SourceType]] = {}


def register(source_type: type[SourceType]) -> None:
    """Add a kind. Raises `ValueError` if its name is taken."""
    if source_type.kind in _types:
        raise ValueError(f"There is a source type '{source_type.kind}' already")
    _types[source_type.kind] = source_type


def list_types(text: str = "", category: str = "") -> list[type[SourceType]]:
    """Return kinds by title: of a category, and with a text in what they say of themselves."""
    wanted = text.lower()
    found = [
        each
        for each in _types.values()
        if (not category or each.category.lower() == category.lower())
        and wanted in f"{each.kind} {each.title} {each.description} {each.category}".lower()
    ]
    return sorted(found, key=lambda each: each.title)


def get_type(kind: str) -> type[SourceType]:
    """Return the kind. Raises `NotFound`, naming those that exist."""
    if kind not in _types:
        known = ", ".join(sorted(_types))
        raise NotFound(f"There is no source type '{kind}'. There are: {known}.")
    return _types[kind]
