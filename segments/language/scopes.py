"""Where a condition stands, and which field a path means there."""

from dataclasses import dataclass
from typing import Literal

from segments.language.ast import Field
from segments.language.vocabulary import Base, Known, Vocabulary


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at: the profile, one of its events, one item of an array, or an entity.

    An item knows the base it was found in and the full path of its array; the
    arrays around an item are open: one item of each is looked at.
    """

    level: Literal["profile", "event", "item", "entity"] = "profile"
    base: Base = "profile"
    array: str = ""
    arrays: tuple[str, ...] = ()
    in_event: bool = False
    entity: str = ""

    def events(self) -> "Scope":
        """Return the scope of one event of the profile."""
        return Scope("event", "event", in_event=True)

    def items(self, array: "Bound") -> "Scope":
        """Return the scope of one item of an array."""
        opened = (*array.known.in_array, array.path)
        return Scope("item", array.base, array.path, opened, self.in_event, self.entity)

    def related(self, entity: str) -> "Scope":
        """Return the scope of a look-up entity."""
        return Scope("entity", "entity", entity=entity)


@dataclass(frozen=True, slots=True)
class Bound:
    """A field as it is meant at one place.

    `depth` is the number of arrays between what is looked at and the value:
    0 is one value, more is many.
    """

    base: Base
    path: str
    known: Known
    opened: int

    @property
    def depth(self) -> int:
        """How many arrays still lie between the scope and the value."""
        return len(self.known.in_array) - self.opened + self.known.array


PROFILE = Scope()


def bind(field: Field, scope: Scope, vocabulary: Vocabulary) -> Bound | None:
    """Return which field is meant, or None if there is no such field here."""
    base, path, opened = locate(field, scope)
    known = vocabulary.find(base, path, scope.entity)
    if known is None or len(known.in_array) < opened:
        return None
    return Bound(base, path, known, opened)


def locate(field: Field, scope: Scope) -> tuple[Base, str, int]:
    """Return the base, the full path and the number of arrays already opened for a field."""
    if field.of == "item":
        if scope.level == "entity":
            return "entity", field.path, 0
        return scope.base, f"{scope.array}.{field.path}", len(scope.arrays)
    return field.of, field.path, 0


def is_allowed(field: Field, scope: Scope) -> bool:
    """Return whether a field of that kind can be named in the scope at all."""
    match field.of:
        case "profile":
            return scope.base != "entity"
        case "event":
            return scope.in_event
        case _:
            return scope.level in ("item", "entity")
