"""When a time passes into a window or out of it as the clock moves on.

A window's two edges move with the clock: they stand still, run along with it, or
jump (at midnight, with the calendar, when clocks change). From the pieces of that
movement follows, for every time x, the first instant at which "x lies in the
window" changes: a short table, the same for Python and for SQL.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from segments.language.ast import Field
from segments.language.clock import Clock, Interval, interval
from segments.language.moments import (
    FIXED,
    Anchor,
    Between,
    Distance,
    Moment,
    Shifted,
    Side,
    Window,
)

HOUR = 3_600_000
PROBE = 900_000  # calendars and zones change in steps of a quarter of an hour
OPEN_START, OPEN_END = -(2**62), 2**62  # farther than any time that is kept


@dataclass(frozen=True, slots=True)
class Flip:
    """For times from `first` to `last`: the change comes at `at`, or `offset` after the time."""

    first: int
    last: int
    at: int | None = None
    offset: int | None = None

    def of(self, time: int) -> int:
        """Return when the answer for `time`, one of the range, changes."""
        return self.at if self.at is not None else time + (self.offset or 0)


@dataclass(frozen=True, slots=True)
class _Edge:
    """One edge within a piece: where it is at the beginning, and whether it runs along."""

    value: int
    runs: bool

    def after(self, run: int) -> "_Edge":
        """Return the edge so much later."""
        return _Edge(self.value + run * self.runs, self.runs)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the clock, both ends in, on which the edges move steadily."""

    begin: int
    end: int
    start: _Edge
    stop: _Edge


class Seen(Protocol):
    """An interval that moves with the clock: where it is, seen from an instant.

    Hashable, so that what is found out of it once serves for the rest of the hour.
    """

    @property
    def steady(self) -> bool:
        """Whether its edges stand still or run along without ever jumping."""

    def __call__(self, at: int) -> Interval:
        """Return the interval as seen from an instant."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class SeenWindow:
    """A window, as seen from the zone's clock."""

    window: Window
    zone: ZoneInfo

    @property
    def steady(self) -> bool:
        return not _follows_calendar(self.window)

    def __call__(self, at: int) -> Interval:
        return interval(self.window, Clock(at, self.zone))


def window_flips(window: Window, clock: Clock, horizon: int) -> tuple[Flip, ...]:
    """Return the table of changes of a window after the clock's instant, up to `horizon`."""
    return seen_flips(SeenWindow(window, clock.zone), clock.now, horizon)


def arrival_flips(clock: Clock, horizon: int) -> tuple[Flip, ...]:
    """Return the changes of "has happened by now": each future time, when it comes."""
    return (Flip(clock.now + 1, horizon, offset=0),)


def seen_flips(seen: Seen, now: int, horizon: int) -> tuple[Flip, ...]:
    """Return the table of changes of an interval that moves with the clock.

    >>> week = Distance("<=", 7, "day", "before", Anchor("now"))
    >>> for flip in seen_flips(SeenWindow(week, ZoneInfo("UTC")), 604_800_100, 604_800_110):
    ...     print(flip.first, flip.last, flip.offset)
    100 109 604800001
    604800101 604800110 0
    """
    pieces = _clipped(
        _pieces(seen, now - now % HOUR, horizon - horizon % HOUR + HOUR), now, horizon
    )
    breaks = sorted({value for piece in pieces for value in _breaks(piece)})
    ranges = pairwise([OPEN_START, *breaks, OPEN_END + 1])
    found = [
        Flip(first, following - 1, at, offset)
        for first, following in ranges
        if first < following
        for at, offset in [_first_change(first, pieces)]
        if at is not None or offset is not None
    ]
    return tuple(_joined(found))


def first_flip(flips: Iterable[Flip], time: int) -> int | None:
    """Return when the answer for `time` changes, if it does."""
    return next((flip.of(time) for flip in flips if flip.first <= time <= flip.last), None)


def changes(seen: Callable[[int], object], now: int, horizon: int) -> tuple[int, ...]:
    """Return the instants after `now` at which a value told by the calendar changes.

    `seen` is hashable by what it depends on.

    >>> changes(int(1_000_000).__rfloordiv__, now=0, horizon=2_500_000)
    (1000000, 2000000)
    """
    known = _all_changes(seen, now - now % HOUR, horizon - horizon % HOUR + HOUR)
    return tuple(at for at in known if now < at <= horizon)


@lru_cache(maxsize=4_096)
def _all_changes(seen: Callable[[int], object], begin: int, end: int) -> tuple[int, ...]:
    found: list[int] = []
    at, value = begin, seen(begin)
    while at < end:
        probe = min(at + PROBE, end)
        if seen(probe) == value:
            at = probe
            continue
        at = _last_where(lambda t, v=value: seen(t) == v, at, probe) + 1  # type: ignore[misc]
        value = seen(at)
        found.append(at)
    return tuple(found)


@lru_cache(maxsize=4_096)
def _pieces(seen: Seen, begin: int, end: int) -> tuple[_Piece, ...]:
    """Return the steady stretches from one instant to another."""
    return tuple(_each_piece(seen, begin, end))


def _each_piece(seen: Seen, begin: int, end: int) -> Iterator[_Piece]:
    while begin <= end:
        probe = end if seen.steady else min(begin + PROBE, end)
        first, after = _edges(seen(begin)), _edges(seen(begin + 1))
        moves = [b - a for a, b in zip(first, after, strict=True)]
        if not all(move in (0, 1) for move in moves):
            moves, probe = [0, 0], begin  # a jump right after this instant

        def is_steady(at: int, first: tuple[int, int] = first, moves: list[int] = moves) -> bool:
            return all(
                value == origin + move * (at - begin)  # noqa: B023  # called within this turn
                for value, origin, move in zip(_edges(seen(at)), first, moves, strict=True)
            )

        last = probe if is_steady(probe) else _last_where(is_steady, begin, probe)
        yield _Piece(begin, last, _Edge(first[0], bool(moves[0])), _Edge(first[1], bool(moves[1])))
        begin = last + 1


def _clipped(pieces: Sequence[_Piece], begin: int, end: int) -> list[_Piece]:
    """Return the part of the stretches that lies between two instants."""
    return [
        _Piece(
            max(piece.begin, begin),
            min(piece.end, end),
            piece.start.after(max(begin - piece.begin, 0)),
            piece.stop.after(max(begin - piece.begin, 0)),
        )
        for piece in pieces
        if piece.end >= begin and piece.begin <= end
    ]


def _edges(seen: Interval) -> tuple[int, int]:
    start = OPEN_START if seen.start is None else seen.start
    return start, OPEN_END if seen.end is None else seen.end


def _last_where(holds: Callable[[int], bool], low: int, high: int) -> int:
    """Return the last instant of a stretch that begins with `holds` and ends without."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _breaks(piece: _Piece) -> Iterator[int]:
    """Yield the times between which all times fare alike in this piece."""
    length = piece.end - piece.begin
    for edge in (piece.start, piece.stop):
        far = edge.value + length * edge.runs
        yield from (edge.value, far, far + 1)


def _first_change(time: int, pieces: Sequence[_Piece]) -> tuple[int | None, int | None]:
    """Return the first change for `time`: as an instant, or as a distance from it."""
    before = _lies_in(time, pieces[0], pieces[0].begin)
    for piece in pieces:
        if _lies_in(time, piece, piece.begin) != before:
            return piece.begin, None
        for at in sorted(_crossings(time, piece)):
            if _lies_in(time, piece, at) != before:
                return None, at - time
    return None, None


def _crossings(time: int, piece: _Piece) -> Iterator[int]:
    for edge in (piece.start, piece.stop):
        at = piece.begin + time - edge.value + 1
        if edge.runs and piece.begin < at <= piece.end:
            yield at


def _lies_in(time: int, piece: _Piece, at: int) -> bool:
    run = at - piece.begin
    start = piece.start.value + run * piece.start.runs
    return start <= time < piece.stop.value + run * piece.stop.runs


def _joined(flips: Iterable[Flip]) -> Iterator[Flip]:
    held: Flip | None = None
    for flip in flips:
        if (
            held
            and held.last + 1 == flip.first
            and (held.at, held.offset) == (flip.at, flip.offset)
        ):
            held = Flip(held.first, flip.last, held.at, held.offset)
            continue
        if held:
            yield held
        held = flip
    if held:
        yield held


def _follows_calendar(window: Window) -> bool:
    """Return whether an edge may do anything but stand still or run along with the clock."""
    match window:
        case Distance(test, _, unit, _, anchor):
            if isinstance(anchor, Field):
                return False
            return unit not in FIXED or test == "=" or _moment_follows_calendar(anchor)
        case Between(start, end):
            return _moment_follows_calendar(start) or _moment_follows_calendar(end)
        case Side(_, moment):
            return _moment_follows_calendar(moment)
        case _:
            return True


def _moment_follows_calendar(moment: Moment) -> bool:
    match moment:
        case Anchor(name):
            return name != "now"
        case Shifted(_, unit, _, of):
            return unit not in FIXED or _moment_follows_calendar(of)
        case _:
            return False
