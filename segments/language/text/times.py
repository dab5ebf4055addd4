"""Moments and windows as text, and as they are read from it."""

from collections.abc import Callable
from datetime import date
from typing import assert_never

from segments.language.ast import Field
from segments.language.moments import (
    Absolute,
    Anchor,
    Between,
    Calendar,
    Day,
    Distance,
    Moment,
    Shifted,
    Side,
    Window,
)
from segments.language.text.literals import write_count
from segments.language.tree_windows import read_timestamp, write_timestamp


def write_moment(moment: Moment) -> str:
    """Return a moment as text.

    >>> write_moment(Shifted(7, "day", "before", Anchor("today")))
    '7 days before today'
    """
    match moment:
        case Anchor(name):
            return name
        case Absolute(at):
            return f'timestamp("{write_timestamp(at)}")'
        case Day(day):
            return f"date({day.year}, {day.month}, {day.day})"
        case Shifted(count, unit, direction, of):
            return f"{write_count(count, unit)} {direction} {write_moment(of)}"
        case _:
            assert_never(moment)


def write_window(window: Window, anchor_text: Callable[[Field], str]) -> str:
    """Return a window as text."""
    match window:
        case Distance(test, count, unit, direction, anchor):
            told = anchor_text(anchor) if isinstance(anchor, Field) else write_moment(anchor)
            return f"{test} {write_count(count, unit)} {direction} {told}"
        case Calendar(which, unit):
            return f"{which} {unit}"
        case Between(start, end):
            return f"between {write_moment(start)} and {write_moment(end)}"
        case Side(which, moment):
            return f"{which} {write_moment(moment)}"
        case _:
            assert_never(window)


def read_date(year: int, month: int, day: int) -> Day:
    """Return a day. Raises `ValueError` for one that no calendar has."""
    return Day(date(year, month, day))


def read_moment_text(text: str) -> Moment:
    """Return the moment of a text: a day, or a time with its zone. Raises `ValueError`."""
    if len(text) == len("2026-01-31"):
        return Day(date.fromisoformat(text))
    return Absolute(read_timestamp(text))
