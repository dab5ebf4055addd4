"""Single tests of values, as the matcher makes them."""

from typing import Any as Json
from zoneinfo import ZoneInfo

from segments.language.ast import Occurs
from segments.language.clock import (
    Clock,
    Interval,
    day_of_year,
    days_of_year,
    distance_from,
    first_day_from,
    interval,
    to_local,
)
from segments.language.moments import Distance
from segments.language.regex import compiled, like_pattern


def compared(operator: str, left: Json, right: Json, case_sensitive: bool) -> bool:
    """Return whether two values of comparable kinds compare so."""
    if not case_sensitive:
        left, right = left.lower(), right.lower()
    match operator:
        case "=":
            return bool(left == right)
        case "!=":
            return bool(left != right)
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case _:
            return bool(left >= right)


def looked_into(test: str, text: str, part: str, case_sensitive: bool) -> bool:
    """Return whether a text passes a test on its content."""
    if test in ("like", "matches"):
        pattern = part if test == "matches" else like_pattern(part)
        return compiled(pattern, case_sensitive).search(text) is not None
    if not case_sensitive:
        text, part = text.lower(), part.lower()
    match test:
        case "starts_with" | "does_not_start_with":
            found = text.startswith(part)
        case "ends_with" | "does_not_end_with":
            found = text.endswith(part)
        case _:
            found = part in text
    return found != test.startswith("does_not")


def set_compared(test: str, left: list[Json], right: list[Json]) -> bool:
    """Return whether two lists compare so; an empty or missing one never does."""
    if not left or not right:
        return False
    match test:
        case "intersects":
            return not set(left).isdisjoint(right)
        case "subset_of":
            return set(left) <= set(right)
        case _:
            return set(left) >= set(right)


def within(value: int | str, node: Occurs, clock: Clock, from_when: int | None) -> bool:
    """Return whether a time (or a date, as text) lies in a window.

    `from_when` is the time that a distance is measured from, where that is another field.
    """
    window = node.window
    if from_when is not None and isinstance(window, Distance):
        seen = distance_from(window, from_when, clock.zone)
    else:
        seen = interval(window, clock)
    if node.ignore_year:
        return _in_ranges(value, days_of_year(seen, clock.zone), clock.zone)
    if isinstance(value, int):
        return value in seen
    first, end = days_within(seen, clock.zone)
    return (first is None or value >= first) and (end is None or value < end)


def days_within(seen: Interval, zone: ZoneInfo) -> tuple[str | None, str | None]:
    """Return the first day that begins in an interval, and the first one after it, as text."""
    first = None if seen.start is None else first_day_from(seen.start, zone).isoformat()
    end = None if seen.end is None else first_day_from(seen.end, zone).isoformat()
    return first, end


def day_text(at: int, zone: ZoneInfo) -> str:
    """Return the calendar day of an instant as text."""
    return to_local(at, zone).date().isoformat()


def _in_ranges(value: int | str, ranges: list[tuple[int, int]], zone: ZoneInfo) -> bool:
    if isinstance(value, int):
        day = day_of_year(value, zone)
    else:
        digits = value[5:7] + value[8:10]
        if len(digits) != 4 or not (digits.isascii() and digits.isdigit()):
            return False
        day = int(digits)
    return any(first <= day <= last for first, last in ranges)
