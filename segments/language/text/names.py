"""What a name means at one place of a text."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from segments.language.ast import Events, Field, Scope

EVENTS = "xEvent"


@dataclass(frozen=True, slots=True)
class Variable:
    """What a variable stands for: the profile, an event, or an item so many arrays deep."""

    of: Scope
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Names:
    """What bare names belong to, and the variables there are.

    `depth` is how many arrays are open: only the innermost item can be named.
    """

    implicit: Variable = field(default_factory=lambda: Variable("profile"))
    variables: Mapping[str, Variable] = field(default_factory=dict)
    lets: Mapping[str, tuple[Any, "Names"]] = field(default_factory=dict)
    depth: int = 0

    def of_event(self) -> "Names":
        """Return the names inside `xEvent[...]`: bare ones are the event's."""
        return replace(self, implicit=Variable("event"))

    def of_item(self) -> "Names":
        """Return the names inside `items[...]`: bare ones are the item's."""
        return replace(self, implicit=Variable("item", self.depth + 1), depth=self.depth + 1)

    def with_event(self, name: str) -> "Names":
        """Return the names where a variable is an event."""
        return replace(self, variables={**self.variables, name: Variable("event")})

    def with_item(self, name: str) -> "Names":
        """Return the names where a variable is an item."""
        depth = self.depth + 1
        return replace(
            self, variables={**self.variables, name: Variable("item", depth)}, depth=depth
        )

    def with_let(self, name: str, meaning: Any) -> "Names":
        """Return the names where one stands for an expression."""
        return replace(self, lets={**self.lets, name: (meaning, self)})

    def with_profile(self, name: str) -> "Names":
        """Return the names where a variable is the profile."""
        return replace(self, variables={**self.variables, name: Variable("profile")})


@dataclass(frozen=True, slots=True)
class Whole:
    """A variable by itself: no value until a field of it is named."""

    variable: Variable


@dataclass(frozen=True, slots=True)
class InEvents:
    """A path below a choice of events: `xEvent[...].productListItems`."""

    events: Events
    path: str


@dataclass(frozen=True, slots=True)
class LookUp:
    """The entity that a key points to."""

    key: Field
    entity: str
