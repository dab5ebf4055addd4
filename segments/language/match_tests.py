"""Single tests of values, as the matcher makes them."""

from collections.abc import Callable, Mapping, Sequence
from operator import eq, ge, gt, le, lt, ne
from typing import Any as Json
from zoneinfo import ZoneInfo

from segments.language.ast import Comparison, SetTest, TextTest
from segments.language.clock import (
    Interval,
    day_of_year,
    days_of_year,
    first_day_from,
    to_local,
)
from segments.language.regex import compiled, like_pattern

Passes = Callable[[Json], bool]
Compares = Callable[[Json, Json], bool]
_COMPARISONS: Mapping[Comparison, Compares] = {
    "=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge,
}  # fmt: skip
_CONTENTS: Mapping[TextTest, Callable[[str, str], bool]] = {
    "starts_with": str.startswith,
    "does_not_start_with": str.startswith,
    "ends_with": str.endswith,
    "does_not_end_with": str.endswith,
    "contains": str.__contains__,
    "does_not_contain": str.__contains__,
}


def comparison(name: Comparison, *, case_sensitive: bool) -> Compares:
    """Return what tells whether two values of comparable kinds compare so."""
    compares = _COMPARISONS[name]
    if case_sensitive:
        return compares
    return lambda left, right: compares(left.lower(), right.lower())


def text_test(name: TextTest, part: str, *, case_sensitive: bool) -> Passes:
    """Return what tells whether a text passes a test on its content."""
    if name in ("like", "matches"):
        pattern = compiled(part if name == "matches" else like_pattern(part), case_sensitive)
        return lambda text: pattern.search(text) is not None
    found, negated = _CONTENTS[name], name.startswith("does_not")
    if case_sensitive:
        return lambda text: found(text, part) != negated
    lower = part.lower()
    return lambda text: found(text.lower(), lower) != negated


def set_compared(test: SetTest, left: Sequence[Json], right: Sequence[Json]) -> bool:
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


def lying_in(seen: Interval, zone: ZoneInfo, *, ignore_year: bool) -> Passes:
    """Return what tells whether a time (or a date, as text) lies in an interval."""
    if ignore_year:
        ranges = days_of_year(seen, zone)
        return lambda value: _in_ranges(value, ranges, zone)

    def test(value: Json) -> bool:
        if isinstance(value, int):
            return value in seen
        first, end = days_within(seen, zone)
        return (first is None or value >= first) and (end is None or value < end)

    return test


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
