"""When the answers of rules can next change by themselves, for profiles in hand.

Until that moment the matcher's answers stay what they are, if no news comes. It may be
early: a window that ends for one of two purchases leaves the other in it.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from operator import attrgetter
from typing import assert_never

from segments.language.ast import Condition, Field
from segments.language.clock import Clock, start_of_day
from segments.language.facts import Case, Facts, Instant, Look, looks_at
from segments.language.flips import Flip, first_flip
from segments.language.match import Compiler
from segments.language.match_operands import EVENTS
from segments.language.timing import Arriving, Moving, Timed, Turning, timed_parts
from segments.language.values import Values, items_reader
from segments.language.vocabulary import EVENT_TIME, Vocabulary

Changes = Callable[[Case], Iterable[int]]
HAPPENS = Field(EVENT_TIME, "event")
_AT = attrgetter("at")


def next_change(
    rule: Condition, facts: Facts, clock: Clock, words: Vocabulary, horizon: int
) -> int | None:
    """Return the earliest instant after the clock's at which the answer can differ.

    None if there is none up to the horizon.
    """
    changes = Timetable([rule], Compiler(words), clock, horizon)
    return changes.next_change(Case(facts, Instant(clock)))


class Timetable:
    """What of some rules can change between an instant and a horizon."""

    def __init__(
        self, rules: Sequence[Condition], compiler: Compiler, clock: Clock, horizon: int
    ) -> None:
        self._compiler = compiler
        self._zone = clock.zone
        timed = (
            part for rule in rules for part in timed_parts(rule, compiler.words, clock, horizon)
        )
        self._parts = [self._changes(part) for part in dict.fromkeys(timed)]

    def next_change(self, case: Case) -> int | None:
        """Return the earliest instant at which any answer about a profile can differ."""
        return min((at for part in self._parts for at in part(case)), default=None)

    def _changes(self, timed: Timed) -> Changes:
        """Return what gives the instants at which a part of a rule changes for a profile."""
        scope, what = timed.scope, timed.what
        match what:
            case Arriving(flips) if scope == EVENTS:
                return self._of_events(timed.guard, flips)
            case Moving(operand, flips) if scope == EVENTS and operand == HAPPENS:
                return self._of_events(timed.guard, flips)
            case Arriving(flips):
                return self._of_values(timed, self._compiler.values(HAPPENS, scope), flips)
            case Moving(operand, flips):
                return self._of_values(timed, self._compiler.values(operand, scope), flips)
            case Turning(test, instants):
                return self._turning(timed, test, instants)
            case _:
                assert_never(what)

    def _of_events(self, guard: Condition | None, flips: Sequence[Flip]) -> Changes:
        """Return the changes of when events happen: of each stretch its first event is the first."""
        chosen = self._compiler.chosen(guard, ahead=True)

        def changes(case: Case) -> Iterator[int]:
            events = chosen(case)
            for flip in flips:
                place = bisect_left(events, flip.first, key=_AT)
                if place < len(events) and events[place].at <= flip.last:
                    yield flip.of(events[place].at)

        return changes

    def _of_values(self, timed: Timed, values: Values, flips: Sequence[Flip]) -> Changes:
        looks = self._looks(timed)

        def changes(case: Case) -> Iterator[int]:
            for look in looks(case):
                for value in values(look):
                    at = first_flip(flips, self._instant(value))
                    if at is not None:
                        yield at

        return changes

    def _turning(self, timed: Timed, condition: Condition, instants: Sequence[int]) -> Changes:
        looks, test = self._looks(timed), self._compiler.test(condition, timed.scope)

        def changes(case: Case) -> Iterator[int]:
            for look in looks(case):
                now = test(look)
                for at in instants:
                    if test(Look(case.at(at), look.event, look.item)) != now:
                        yield at
                        break

        return changes

    def _looks(self, timed: Timed) -> Callable[[Case], Iterable[Look]]:
        """Return what looks at the profile, event or items that the timed part may be asked of."""
        scope = timed.scope
        roots = self._events(timed.guard) if scope.in_event else _profile
        if scope.level != "item":
            return roots
        items = items_reader(Field(scope.array, "profile" if scope.base == "profile" else "event"))
        return lambda case: [
            Look(case, look.event, item) for look in roots(case) for item in items(look)
        ]

    def _events(self, guard: Condition | None) -> Callable[[Case], list[Look]]:
        chosen = self._compiler.chosen(guard, ahead=True)
        return lambda case: looks_at(case, chosen(case))

    def _instant(self, value: int | str) -> int:
        if isinstance(value, int):
            return value
        try:
            return start_of_day(date.fromisoformat(value), self._zone)
        except ValueError:  # no day of any calendar
            return 0


def _profile(case: Case) -> list[Look]:
    return [Look(case)]
