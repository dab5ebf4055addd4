"""One profile in hand: its document and its events, and what a rule looks at of them."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any as Json
from typing import TypeVar, cast

from segments.language.clock import Clock

Document = Mapping[str, Json]
T = TypeVar("T")
_AT = attrgetter("at")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, at a millisecond; the body is the record as sent."""

    at: int
    type: str = ""
    id: str = ""
    body: Document = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one profile.

    `segments` are those it is a member of; `entities` hold the look-up entities it
    may point to, by id and key.
    """

    profile: Document = field(default_factory=dict)
    events: Sequence[Event] = ()
    segments: frozenset[str] = frozenset()
    entities: Mapping[str, Mapping[str, Document]] = field(default_factory=dict)


class Instant:
    """The instant at which rules are read: what windows come to is found out once for all profiles."""

    __slots__ = ("_told", "clock")

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._told: dict[Callable[[Clock], object], object] = {}

    def ask(self, question: Callable[[Clock], T]) -> T:
        """Return what a question about the clock comes to; the same question is answered once."""
        if question not in self._told:
            self._told[question] = question(self.clock)
        return cast("T", self._told[question])


class Case:
    """One profile at one instant; what is chosen of its events is chosen once for all rules."""

    __slots__ = ("_chosen", "_events", "_of_types", "entities", "instant", "profile", "segments")

    def __init__(self, facts: Facts, instant: Instant) -> None:
        self.profile = facts.profile
        self.segments = set(facts.segments)
        self.entities = facts.entities
        self.instant = instant
        self._events = sorted(facts.events, key=_AT)
        self._of_types: dict[frozenset[str] | None, list[Event]] = {None: self._events}
        self._chosen: dict[Callable[[Case], list[Event]], list[Event]] = {}

    def at(self, now: int) -> "Case":
        """Return the same profile at another instant."""
        facts = Facts(self.profile, self._events, frozenset(self.segments), self.entities)
        return Case(facts, Instant(self.instant.clock.at(now)))

    def chosen(self, choice: "Callable[[Case], list[Event]]") -> list[Event]:
        """Return the events that a choice takes."""
        found = self._chosen.get(choice)
        if found is None:
            found = self._chosen[choice] = choice(self)
        return found

    def events(self, types: frozenset[str] | None, start: int, end: int) -> list[Event]:
        """Return the events of some types (None is any) from one time until just before another."""
        if types not in self._of_types:
            self._sort_out(types or frozenset())
        events = self._of_types[types]
        if not events or (start <= events[0].at and events[-1].at < end):
            return events
        return events[bisect_left(events, start, key=_AT) : bisect_left(events, end, key=_AT)]

    def _sort_out(self, types: frozenset[str]) -> None:
        """Keep the events of each type; several types are looked for among all."""
        if len(self._of_types) == 1:
            by_type = defaultdict(list)
            for event in self._events:
                by_type[event.type].append(event)
            self._of_types |= {frozenset({name}): events for name, events in by_type.items()}
        if types not in self._of_types:
            several = len(types) > 1
            self._of_types[types] = [e for e in self._events if e.type in types] if several else []


class Look:
    """What is looked at: the profile, and one event, item or entity of it."""

    __slots__ = ("case", "event", "item")

    def __init__(
        self, case: Case, event: Event | None = None, item: Document | None = None
    ) -> None:
        self.case = case
        self.event = event
        self.item = item


def looks_at(case: Case, events: Iterable[Event]) -> list[Look]:
    """Return a look at each of some events."""
    return [Look(case, event) for event in events]
