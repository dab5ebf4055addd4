"""The parts of a rule whose answer changes by itself as time goes on.

Three kinds: a time that passes into a window or out of it (`Moving`), a test whose
written moments turn over with the calendar (`Turning`), and an event that lies ahead
until it comes (`Arriving`). Everything else waits for news.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from segments.language.ast import (
    Aggregate,
    All,
    Arithmetic,
    Compare,
    Comparison,
    Condition,
    DatePart,
    Events,
    Field,
    FirstNonNull,
    Happened,
    In,
    Instant,
    Items,
    Occurs,
    Operand,
    Sequence,
)
from segments.language.clock import (
    Clock,
    Interval,
    days_of_year,
    interval,
    span,
    start_of_day,
    to_local,
)
from segments.language.flips import Flip, arrival_flips, changes, seen_flips, window_flips
from segments.language.kinds import kind_of
from segments.language.moments import Anchor, Distance, Moment, Window
from segments.language.scopes import Scope
from segments.language.vocabulary import Vocabulary
from segments.language.walk import Visit, walk

FLIPPED: dict[Comparison, Comparison] = {
    "=": "=",
    "!=": "!=",
    "<": ">",
    "<=": ">=",
    ">": "<",
    ">=": "<=",
}


@dataclass(frozen=True, slots=True)
class Moving:
    """A time and the table of when its answer changes."""

    operand: Operand
    flips: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class Turning:
    """A test and the instants at which what it compares with is another."""

    test: Condition
    at: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Arriving:
    """Events that come."""

    flips: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class Timed:
    """Something that changes with time, and whose it is.

    In a choice of events, `guard` is what every event that matters satisfies at all
    times; None is any.
    """

    scope: Scope
    what: Moving | Turning | Arriving
    guard: Condition | None = None


def timed_parts(rule: Condition, words: Vocabulary, clock: Clock, horizon: int) -> list[Timed]:
    """Return what of a rule can change between the clock's instant and the horizon."""
    found: dict[Timed, None] = {}
    for visit in walk(rule, words):
        for what in _timed(visit, words, clock, horizon):
            guard = None if visit.choice is None else _timeless(visit.choice, words, visit)
            found[Timed(visit.scope, what, guard)] = None
        for choice in choices_of(visit):
            flips = arrival_flips(clock, horizon)
            guard = None if choice is None else _timeless(choice, words, visit)
            found[Timed(visit.scope.events(), Arriving(flips), guard)] = None
    return list(found)


@dataclass(frozen=True, slots=True)
class _SeenMoment:
    """The times that compare so with a moment; of days, those that begin then."""

    operator: Comparison
    moment: Moment
    by_day: bool
    zone: ZoneInfo

    @property
    def steady(self) -> bool:
        return not self.by_day and self.moment == Anchor("now")

    def __call__(self, at: int) -> Interval:
        instant = span(self.moment, Clock(at, self.zone))[0]
        if self.by_day:
            instant = start_of_day(to_local(instant, self.zone).date(), self.zone)
        return _compared_interval(self.operator, instant)


@dataclass(frozen=True, slots=True)
class _SeenDaysOfYear:
    """The days of the year that a window touches."""

    window: Window
    zone: ZoneInfo

    def __call__(self, at: int) -> object:
        return days_of_year(interval(self.window, Clock(at, self.zone)), self.zone)


@dataclass(frozen=True, slots=True)
class _SeenDates:
    """The calendar days of moments."""

    moments: tuple[Moment, ...]
    zone: ZoneInfo

    def __call__(self, at: int) -> object:
        clock = Clock(at, self.zone)
        return [to_local(span(moment, clock)[0], self.zone).date() for moment in self.moments]


def _timed(
    visit: Visit, words: Vocabulary, clock: Clock, horizon: int
) -> Iterator[Moving | Turning]:
    node = visit.node
    match node:
        case Occurs(operand, window, ignore_year):
            if isinstance(window, Distance) and isinstance(window.anchor, Field):
                return
            if ignore_year:
                yield from _turning(node, _SeenDaysOfYear(window, clock.zone), clock, horizon)
            elif flips := window_flips(window, clock, horizon):
                yield Moving(operand, flips)
        case Compare(operator, left, Instant(moment)):
            yield from _compared(operator, left, moment, visit, words, clock, horizon)
        case Compare(operator, Instant(moment), right):
            yield from _compared(FLIPPED[operator], right, moment, visit, words, clock, horizon)
        case Compare(_, left, right):
            yield from _parts(node, (left, right), clock, horizon)
        case In(operand):
            yield from _parts(node, (operand,), clock, horizon)


def _compared(
    operator: Comparison,
    operand: Operand,
    moment: Moment,
    visit: Visit,
    words: Vocabulary,
    clock: Clock,
    horizon: int,
) -> Iterator[Moving]:
    by_day = kind_of(operand, visit.scope, words) == "day"
    seen = _SeenMoment(operator, moment, by_day, clock.zone)
    if flips := seen_flips(seen, clock.now, horizon):
        yield Moving(operand, flips)


def _compared_interval(operator: Comparison, at: int) -> Interval:
    match operator:
        case "<":
            return Interval(None, at)
        case "<=":
            return Interval(None, at + 1)
        case ">":
            return Interval(at + 1, None)
        case ">=":
            return Interval(at, None)
        case "=" | "!=":
            return Interval(at, at + 1)


def _parts(
    node: Condition, operands: tuple[Operand, ...], clock: Clock, horizon: int
) -> Iterator[Turning]:
    """Yield the test if it compares with the year, month or day of a written moment."""
    moments = tuple(part for operand in operands for part in _written_parts(operand))
    if moments:
        yield from _turning(node, _SeenDates(moments, clock.zone), clock, horizon)


def _turning(
    node: Condition, seen: Callable[[int], object], clock: Clock, horizon: int
) -> Iterator[Turning]:
    if instants := changes(seen, clock.now, horizon):
        yield Turning(node, instants)


def _written_parts(operand: Operand) -> Iterator[Moment]:
    match operand:
        case DatePart(_, Instant(moment)):
            yield moment
        case Arithmetic(_, left, right):
            yield from _written_parts(left)
            yield from _written_parts(right)
        case FirstNonNull(options):
            for option in options:
                yield from _written_parts(option)
        case _:
            return


def choices_of(visit: Visit) -> list[Condition | None]:
    """Return the choices of events that a node makes; None is any event."""
    match visit.node:
        case Happened(events) | Aggregate(_, Events() as events):
            return [events.where]
        case Aggregate(_, Items(_, _, Events(where))):
            return [where]
        case Sequence(steps):
            return [step.where for step in steps]
        case _:
            return []


def _timeless(choice: Condition, words: Vocabulary, visit: Visit) -> Condition | None:
    """Return what a choice of events asks of them besides times and the profile."""
    scope = Scope().events()
    parts = choice.of if isinstance(choice, All) else (choice,)
    kept = tuple(part for part in parts if _is_timeless(part, words, scope))
    if not kept:
        return None
    return kept[0] if len(kept) == 1 else All(kept)


def _is_timeless(part: Condition, words: Vocabulary, scope: Scope) -> bool:
    for visit in walk(part, words, scope):
        match visit.node:
            case Occurs() | Instant() | DatePart(_, Instant()):
                return False
            case Field(_, "profile"):
                return False
            case _:
                continue
    return True
