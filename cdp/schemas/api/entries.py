"""Standard resources and the sandbox's own, shown alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cdp.schemas.models import Component
from cdp.schemas.registry.resources import Resource


@dataclass(frozen=True)
class Entry:
    """A behavior, class, field group or data type in an answer.

    The id of a standard resource is its alternative id, the same everywhere.
    """

    id: str
    alt_id: str
    uri: str
    title: str
    description: str
    container: str
    version: str
    document: dict[str, Any]
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def pk(self) -> str:
        """The id, as the views' base asks for it."""
        return self.id

    @property
    def classes(self) -> list[str]:
        """The classes that a field group is made for; none means all."""
        return list(self.document.get("meta:intendedToExtend", ()))

    @property
    def extends(self) -> list[str]:
        """What a class or field group is based on."""
        refs = (str(branch.get("$ref", "")) for branch in self.document.get("allOf", ()))
        return [ref for ref in refs if ref and not ref.startswith("#")]


def entry_of(row: Component | Resource) -> Entry:
    """Make the entry of a stored component or of a standard resource."""
    if isinstance(row, Resource):
        return Entry(
            id=row.alt_id,
            alt_id=row.alt_id,
            uri=row.uri,
            title=row.title,
            description=row.description,
            container="standard",
            version="1.0",
            document=dict(row.document),
        )
    return Entry(
        id=row.pk,
        alt_id=row.alt_id,
        uri=row.uri,
        title=row.title,
        description=row.description,
        container="imported" if row.imported else "own",
        version=f"1.{row.version}",
        document=row.document,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def matches(entry: Entry, wanted: dict[str, str]) -> bool:
    """Tell whether an entry is one that a list's filters ask for."""
    if key := wanted.get("id"):
        return key in (entry.id, entry.alt_id, entry.uri)
    if (container := wanted.get("container")) and container != entry.container:
        return False
    if (uri := wanted.get("class_id")) and entry.classes and uri not in entry.classes:
        return False
    return wanted.get("title", "").lower() in entry.title.lower()
