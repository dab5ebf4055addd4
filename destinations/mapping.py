"""What of a profile goes to a destination, and under which name. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

MAX_ENTRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a mapping: what is sent, and its new name.

    That is an attribute's path, an identity namespace, or an attribute that the segment
    knows of its members.
    """

    target: str
    attribute: str | None = None
    identity: str | None = None
    segment_attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Mapped:
    """What is sent about one profile."""

    attributes: Mapping[str, Any]
    identities: Mapping[str, Sequence[str]]


def read_mapping(stored: Iterable[Mapping[str, str]]) -> tuple[Entry, ...]:
    """Return the entries of a stored mapping."""
    return tuple(Entry(**entry) for entry in stored)


def apply(
    entries: Iterable[Entry],
    document: Mapping[str, Any],
    identities: Mapping[str, Sequence[str]],
    known: Mapping[str, Any] = MappingProxyType({}),
) -> Mapped:
    """Return what a mapping takes of a profile; what the profile lacks is null or empty.

    >>> entries = (Entry("name", attribute="person.name.firstName"), Entry("mail", identity="Email"))
    >>> apply(entries, {"person": {"name": {"firstName": "Sarah"}}}, {"Email": ["s@luma.example"]})
    Mapped(attributes={'name': 'Sarah'}, identities={'mail': ['s@luma.example']})
    """
    attributes: dict[str, Any] = {}
    named: dict[str, Sequence[str]] = {}
    for entry in entries:
        if entry.attribute is not None:
            attributes[entry.target] = value_at(document, entry.attribute)
        elif entry.identity is not None:
            named[entry.target] = list(identities.get(entry.identity, ()))
        elif entry.segment_attribute is not None:
            attributes[entry.target] = known.get(entry.segment_attribute)
    return Mapped(attributes, named)


def value_at(document: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a dotted path, or None."""
    value: Any = document
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
