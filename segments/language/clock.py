"""When a moment or a window is, seen from one instant in one zone.

Times are whole milliseconds since 1970 in UTC. Units up to the week have a fixed
length (a day is 24 hours); months and longer follow the calendar of the zone, and
a day that the target month does not have becomes its last. An interval takes its
start in and leaves its end out.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from segments.language.moments import (
    FIXED,
    Absolute,
    Anchor,
    Between,
    Calendar,
    Day,
    Distance,
    Moment,
    Shifted,
    Side,
    Unit,
    Window,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
MONTHS: dict[Unit, int] = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1_200}


@dataclass(frozen=True, slots=True)
class Clock:
    """The instant of evaluation and the zone whose calendar counts."""

    now: int
    zone: ZoneInfo

    def at(self, now: int) -> "Clock":
        """Return the same clock at another instant."""
        return Clock(now, self.zone)


@dataclass(frozen=True, slots=True)
class Interval:
    """From `start` on, until just before `end`; None is open."""

    start: int | None
    end: int | None

    def __contains__(self, at: int) -> bool:
        return (self.start is None or at >= self.start) and (self.end is None or at < self.end)


def to_millis(moment: datetime) -> int:
    """Return whole milliseconds since 1970, cutting off what is finer."""
    return (moment - EPOCH) // MILLISECOND


def to_local(at: int, zone: ZoneInfo) -> datetime:
    """Return the wall clock of `zone` at an instant."""
    return (EPOCH + at * MILLISECOND).astimezone(zone)


def start_of_day(day: date, zone: ZoneInfo) -> int:
    """Return the first instant of a calendar day."""
    return to_millis(datetime(day.year, day.month, day.day, tzinfo=zone))


def first_day_from(at: int, zone: ZoneInfo) -> date:
    """Return the first calendar day that begins at or after an instant."""
    day = to_local(at, zone).date()
    return day if start_of_day(day, zone) >= at else day + timedelta(days=1)


def shift(at: int, count: int, unit: Unit, zone: ZoneInfo) -> int:
    """Return the instant `count` units later (earlier, if negative).

    >>> from datetime import datetime, UTC
    >>> may = to_millis(datetime(2026, 5, 31, 12, tzinfo=UTC))
    >>> to_local(shift(may, -3, "month", ZoneInfo("UTC")), ZoneInfo("UTC")).isoformat()
    '2026-02-28T12:00:00+00:00'
    """
    if unit in FIXED:
        return at + count * FIXED[unit]
    local = to_local(at, zone)
    months = local.year * 12 + local.month - 1 + count * MONTHS[unit]
    year, month = divmod(months, 12)
    day = min(local.day, _days_in(year, month + 1))
    return to_millis(local.replace(year=year, month=month + 1, day=day))


def floor(at: int, unit: Unit, zone: ZoneInfo) -> int:
    """Return the beginning of the calendar unit that an instant lies in."""
    local = to_local(at, zone)
    match unit:
        case "millisecond":
            return at
        case "second" | "minute" | "hour":
            clock_zero = {"microsecond": 0}
            clock_zero |= {"second": 0} if unit != "second" else {}
            clock_zero |= {"minute": 0} if unit == "hour" else {}
            return to_millis(local.replace(**clock_zero))  # type: ignore[arg-type]  # named ints
        case "day":
            return start_of_day(local.date(), zone)
        case "week":
            return start_of_day(local.date() - timedelta(days=local.weekday()), zone)
        case _:
            months = local.year * 12 + local.month - 1
            year, month = divmod(months - months % MONTHS[unit], 12)
            return start_of_day(date(year, month + 1, 1), zone)


def next_floor(start: int, unit: Unit, zone: ZoneInfo) -> int:
    """Return where the unit after the one that begins at `start` begins."""
    if unit in ("day", "week"):
        days = 1 if unit == "day" else 7
        return start_of_day(to_local(start, zone).date() + timedelta(days=days), zone)
    return shift(start, 1, unit, zone)


def span(moment: Moment, clock: Clock) -> tuple[int, int]:
    """Return the first instant of a moment and the first one after it."""
    match moment:
        case Anchor("now"):
            return clock.now, clock.now + 1
        case Anchor(name):
            offset = {"yesterday": -1, "today": 0, "tomorrow": 1}[name]
            day = to_local(clock.now, clock.zone).date() + timedelta(days=offset)
            return _whole_day(day, clock.zone)
        case Absolute(at):
            return at, at + 1
        case Day(day):
            return _whole_day(day, clock.zone)
        case Shifted(count, unit, direction, of):
            start, end = span(of, clock)
            signed = count if direction == "after" else -count
            if end - start == 1 or unit in ("millisecond", "second", "minute", "hour"):
                moved = shift(start, signed, unit, clock.zone)
                return moved, moved + 1
            return _whole_day(_shifted_day(start, signed, unit, clock.zone), clock.zone)
        case _:
            assert_never(moment)


def interval(window: Window, clock: Clock) -> Interval:
    """Return when a window is, seen from the clock's instant."""
    match window:
        case Distance():
            return _distance(window, clock)
        case Calendar(which, unit):
            start = floor(clock.now, unit, clock.zone)
            following = next_floor(start, unit, clock.zone)
            if which == "this":
                return Interval(start, following)
            if which == "next":
                return Interval(following, next_floor(following, unit, clock.zone))
            return Interval(floor(start - 1, unit, clock.zone), start)
        case Between(first, last):
            return Interval(span(first, clock)[0], span(last, clock)[1])
        case Side(which, moment):
            start, end = span(moment, clock)
            sides = {
                "before": Interval(None, start),
                "after": Interval(end, None),
                "on": Interval(start, end),
            }
            return sides[which]
        case _:
            assert_never(window)


def distance_from(window: Distance, anchor: int, zone: ZoneInfo) -> Interval:
    """Return when a distance window is, measured from a given instant."""
    if window.test == "=":
        signed = window.count if window.direction == "after" else -window.count
        start = floor(shift(anchor, signed, window.unit, zone), window.unit, zone)
        return Interval(start, next_floor(start, window.unit, zone))
    if window.direction == "before":
        edge = shift(anchor, -window.count, window.unit, zone)
        return {
            "<=": Interval(edge, anchor + 1),
            "<": Interval(edge + 1, anchor + 1),
            ">=": Interval(None, edge + 1),
            ">": Interval(None, edge),
        }[window.test]
    edge = shift(anchor, window.count, window.unit, zone)
    return {
        "<=": Interval(anchor, edge + 1),
        "<": Interval(anchor, edge),
        ">=": Interval(edge, None),
        ">": Interval(edge + 1, None),
    }[window.test]


def days_of_year(within: Interval, zone: ZoneInfo) -> list[tuple[int, int]]:
    """Return the days of the year that an interval touches, as ranges of month * 100 + day.

    Where a year has no 29 February, who was born on it has the 28th.

    >>> feb = to_millis(datetime(2026, 2, 28, tzinfo=UTC))
    >>> days_of_year(Interval(feb, feb + 1), ZoneInfo("UTC"))
    [(228, 229)]
    """
    if within.start is None or within.end is None:
        return [(101, 1231)]
    if within.end <= within.start:
        return []
    first, last = to_local(within.start, zone).date(), to_local(within.end - 1, zone).date()
    if (last - first).days >= 365:
        return [(101, 1231)]
    begin, end = _day_of_year(first), _day_of_year(last)
    if end == 228 and _days_in(last.year, 2) == 28:
        end = 229
    return [(begin, end)] if begin <= end else [(begin, 1231), (101, end)]


def day_of_year(at: int, zone: ZoneInfo) -> int:
    """Return month * 100 + day of an instant."""
    return _day_of_year(to_local(at, zone).date())


def _distance(window: Distance, clock: Clock) -> Interval:
    anchor = window.anchor
    if not isinstance(anchor, Anchor | Absolute | Day | Shifted):
        raise TypeError("A distance from another field has no interval of its own")
    return distance_from(window, span(anchor, clock)[0], clock.zone)


def _whole_day(day: date, zone: ZoneInfo) -> tuple[int, int]:
    return start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)


def _shifted_day(start: int, count: int, unit: Unit, zone: ZoneInfo) -> date:
    day = to_local(start, zone).date()
    if unit in ("day", "week"):
        return day + timedelta(days=count * (7 if unit == "week" else 1))
    return to_local(shift(start, count, unit, zone), zone).date()


def _days_in(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).day


def _day_of_year(day: date) -> int:
    return day.month * 100 + day.day
