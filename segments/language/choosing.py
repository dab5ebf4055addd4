"""Choices of events: of which types, in which stretch of time, and what else is asked of them.

Types and stretches are read off the condition, so that only the events they leave are
looked into.
"""

from collections.abc import Callable, Sequence

from segments.language.ast import All, Compare, Condition, Field, In, Occurs, Value
from segments.language.clock import Clock, interval
from segments.language.facts import Case, Event, Look
from segments.language.flips import OPEN_END, OPEN_START
from segments.language.moments import Distance, Window
from segments.language.vocabulary import EVENT_TIME, EVENT_TYPE

Test = Callable[[Look], bool]
Stretch = tuple[int, int]


class Choice:
    """The events of a case that satisfy a condition, in the order of their times.

    `ahead` takes those, too, that have not happened yet.
    """

    __slots__ = ("_rest", "_stretch", "_types")

    def __init__(
        self, where: Condition | None, compiled: Callable[[Condition], Test], *, ahead: bool = False
    ) -> None:
        parts = where.of if isinstance(where, All) else () if where is None else (where,)
        types = [found for part in parts if (found := _types_of(part)) is not None]
        windows = [part.window for part in parts if isinstance(part, Occurs) and _is_window(part)]
        rest = [part for part in parts if _types_of(part) is None and not _is_window(part)]
        self._types = frozenset.intersection(*types) if types else None
        self._stretch = _stretch(windows, ahead=ahead)
        self._rest: Sequence[Test] = [compiled(part) for part in rest]

    def __call__(self, case: Case) -> list[Event]:
        """Return the events."""
        start, end = case.instant.ask(self._stretch)
        events = case.events(self._types, start, end)
        for test in self._rest:
            events = [event for event in events if test(Look(case, event))]
        return events


def _types_of(part: Condition) -> frozenset[str] | None:
    """Return the only event types that a condition lets through, if it asks for nothing else."""
    match part:
        case Compare("=", Field(path, "event"), Value(str(value)), True) if path == EVENT_TYPE:
            return frozenset({value})
        case In(Field(path, "event"), Value(tuple(values)), False, True) if path == EVENT_TYPE:
            return frozenset(str(value) for value in values)
        case _:
            return None


def _is_window(part: Condition) -> bool:
    """Return whether a condition is that an event's time lies in a window of the clock's."""
    match part:
        case Occurs(Field(path, "event"), window, False) if path == EVENT_TIME:
            return not (isinstance(window, Distance) and isinstance(window.anchor, Field))
        case _:
            return False


def _stretch(windows: Sequence[Window], *, ahead: bool) -> Callable[[Clock], Stretch]:
    """Return what tells the time in which all windows lie, up to now or beyond."""

    def stretch(clock: Clock) -> Stretch:
        start, end = OPEN_START, OPEN_END if ahead else clock.now + 1
        for window in windows:
            seen = interval(window, clock)
            start = start if seen.start is None else max(start, seen.start)
            end = end if seen.end is None else min(end, seen.end)
        return start, end

    return stretch
