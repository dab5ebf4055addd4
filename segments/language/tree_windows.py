"""Moments and windows as JSON.

A moment is `"now"`, `"today"`, `"2026-01-31"`, `"2026-01-31T12:00:00.000Z"`, or
`{"count": 7, "unit": "day", "direction": "before", "of": "now"}`.
"""

from datetime import UTC, date, datetime
from typing import Any as Json
from typing import assert_never

from segments.language.ast import Field, Scope
from segments.language.clock import EPOCH, MILLISECOND, to_millis
from segments.language.moments import (
    ANCHORS,
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


def read_moment(tree: Json) -> Moment:
    """Return the moment of a tree; raise `ValueError` for a day that no calendar has."""
    if isinstance(tree, dict):
        of = read_moment(tree["of"])
        return Shifted(tree["count"], tree["unit"], tree["direction"], of)
    if tree in ANCHORS:
        return Anchor(tree)
    if len(tree) == len("2026-01-31"):
        return Day(date.fromisoformat(tree))
    return Absolute(read_timestamp(tree))


def write_moment(moment: Moment) -> Json:
    """Return the tree of a moment."""
    match moment:
        case Anchor(name):
            return name
        case Absolute(at):
            return write_timestamp(at)
        case Day(day):
            return day.isoformat()
        case Shifted(count, unit, direction, of):
            return {"count": count, "unit": unit, "direction": direction, "of": write_moment(of)}
        case _:
            assert_never(moment)


def read_timestamp(text: str) -> int:
    """Return the millisecond of an RFC 3339 text.

    >>> write_timestamp(read_timestamp("2026-01-31T12:00:00.1239+02:00"))
    '2026-01-31T10:00:00.123Z'
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} does not say its zone: add Z or an offset")
    return to_millis(moment)


def write_timestamp(at: int) -> str:
    """Return the RFC 3339 text of a millisecond, in UTC."""
    moment = (EPOCH + at * MILLISECOND).astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds") + "Z"


def read_window(tree: Json, scope: Scope) -> Window:
    """Return the window of a tree."""
    if "test" in tree:
        anchor = tree.get("anchor", "now")
        from_field = isinstance(anchor, dict) and "field" in anchor
        told = (
            Field(anchor["field"], anchor.get("of", scope)) if from_field else read_moment(anchor)
        )
        return Distance(tree["test"], tree["count"], tree["unit"], tree["direction"], told)
    if "calendar" in tree:
        return Calendar(tree["calendar"], tree["unit"])
    if "between" in tree:
        start, end = tree["between"]
        return Between(read_moment(start), read_moment(end))
    [(which, moment)] = tree.items()
    return Side(which, read_moment(moment))


def write_window(window: Window, scope: Scope) -> dict[str, Json]:
    """Return the tree of a window."""
    match window:
        case Distance(test, count, unit, direction, anchor):
            tree = {"test": test, "count": count, "unit": unit, "direction": direction}
            if isinstance(anchor, Field):
                of = {} if anchor.of == scope else {"of": anchor.of}
                return {**tree, "anchor": {"field": anchor.path, **of}}
            return {**tree, "anchor": write_moment(anchor)}
        case Calendar(which, unit):
            return {"calendar": which, "unit": unit}
        case Between(start, end):
            return {"between": [write_moment(start), write_moment(end)]}
        case Side(which, moment):
            return {which: write_moment(moment)}
        case _:
            assert_never(window)
