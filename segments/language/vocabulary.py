"""What a rule may name: the fields of profiles, events and look-up entities, by path."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Literal

Kind = Literal["text", "number", "integer", "boolean", "time", "day", "object"]
Base = Literal["profile", "event", "entity"]

# Events have their own columns for these; every event has them, whatever its schema says.
EVENT_TIME, EVENT_TYPE, EVENT_ID = "timestamp", "eventType", "_id"


@dataclass(frozen=True, slots=True)
class Known:
    """A field as the schemas describe it.

    `array` says that its value is a list, `in_array` names the lists around it,
    outermost first. The values of a map stand under `*`.
    """

    path: str
    kind: Kind
    array: bool = False
    in_array: tuple[str, ...] = ()
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Entity:
    """A look-up entity: where its rows are, which of their fields is the key, and what leads to it.

    `id` is how rules name it for good, `title` how people may. `references` are the
    fields of profiles and events that hold its key.
    """

    id: str
    title: str
    key: str
    datasets: tuple[str, ...]
    fields: Mapping[str, Known]
    references: frozenset[tuple[Base, str]]


EVENT_OWN = {
    EVENT_TIME: Known(EVENT_TIME, "time"),
    EVENT_TYPE: Known(EVENT_TYPE, "text"),
    EVENT_ID: Known(EVENT_ID, "text"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """All fields a rule may name. One is told from another by which it is, not by its fields."""

    profile: Mapping[str, Known] = field(default_factory=dict)
    event: Mapping[str, Known] = field(default_factory=dict)
    entities: Mapping[str, Entity] = field(default_factory=dict)  # by id

    def find(self, base: Base, path: str, entity: str = "") -> Known | None:
        """Return the field at a path; a name under a map finds the map's values."""
        if base == "event" and path in EVENT_OWN:
            known = self.event.get(path)
            return replace(EVENT_OWN[path], labels=known.labels) if known else EVENT_OWN[path]
        fields = self.fields(base, entity)
        if path in fields:
            return fields[path]
        return _under_map(fields, path)

    def entity(self, name: str) -> Entity | None:
        """Return the look-up entity of an id or a title."""
        named = (each for each in self.entities.values() if each.title == name)
        return self.entities.get(name) or next(named, None)

    def fields(self, base: Base, entity: str = "") -> Mapping[str, Known]:
        """Return the fields of profiles, events or an entity."""
        if base == "entity":
            found = self.entity(entity)
            return found.fields if found else {}
        return self.profile if base == "profile" else self.event

    def leaves(self, base: Base, path: str, entity: str = "") -> list[str]:
        """Return the paths of the values below a group of fields, apart from those in maps."""
        return [
            name
            for name, known in self.fields(base, entity).items()
            if name.startswith(f"{path}.") and known.kind != "object" and ".*" not in name
        ]

    def suggest(self, base: Base, path: str, under: str = "", entity: str = "") -> str | None:
        """Return the known path most like one that is not known, below the array `under`.

        >>> cities = {"homeAddress.city": Known("homeAddress.city", "text")}
        >>> Vocabulary(profile=cities).suggest("profile", "homeAdress.city")
        'homeAddress.city'
        """
        names = [*self.fields(base, entity), *(EVENT_OWN if base == "event" else ())]
        known = [name.removeprefix(under) for name in names if name.startswith(under)]
        return suggest(path, known)


def suggest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like another, also where only the end or the case is alike."""
    words = list(known)
    by_case = {name.lower(): name for name in words}
    if word.lower() in by_case:
        return by_case[word.lower()]
    if close := get_close_matches(word, words, n=1, cutoff=0.6):
        return close[0]
    last = word.rpartition(".")[2]
    return next((name for name in words if name.rpartition(".")[2] == last), None)


def _under_map(fields: Mapping[str, Known], path: str) -> Known | None:
    """Find a path some of whose names are keys of a map."""
    known, said = "", ""
    renamed: dict[str, str] = {}
    for name in path.split("."):
        before = f"{known}." if known else ""
        known = f"{before}{name}" if f"{before}{name}" in fields else f"{before}*"
        said = f"{said}.{name}" if said else name
        renamed[known] = said
        if known not in fields:
            return None
    found = fields[known]
    arrays = tuple(renamed.get(array, array) for array in found.in_array)
    return replace(found, path=path, in_array=arrays)
