"""Whether a window of time can be asked of a value."""

from collections.abc import Iterator

from segments.language.ast import Field, Occurs
from segments.language.errors import Problem
from segments.language.kinds import kind_of
from segments.language.moments import (
    FIXED,
    Between,
    Calendar,
    Distance,
    Moment,
    Shifted,
    Side,
    Unit,
    Window,
)
from segments.language.scopes import Scope
from segments.language.vocabulary import Vocabulary

# No window reaches farther than this, in its own units.
FARTHEST: dict[Unit, int] = {
    "millisecond": 10**13,
    "second": 10**10,
    "minute": 10**8,
    "hour": 2_000_000,
    "day": 75_000,
    "week": 10_500,
    "month": 2_400,
    "quarter": 800,
    "year": 200,
    "decade": 20,
    "century": 2,
}


def window_problems(node: Occurs, scope: Scope, words: Vocabulary) -> Iterator[Problem]:
    """Yield why this window cannot be asked of this operand."""
    kind = kind_of(node.operand, scope, words)
    if kind not in (None, "time", "day"):
        yield Problem("wrong_kind", "Only a time or a date occurs in a window.", "/operand")
    window = node.window
    yield from _reach(window)
    if isinstance(window, Distance) and isinstance(window.anchor, Field):
        yield from _from_field(node, window, window.anchor, scope, words)
    elif node.ignore_year and not _is_bounded(window):
        yield Problem(
            "open_window",
            "Ignoring the year needs a window with a beginning and an end.",
            "/window",
        )


def _from_field(
    node: Occurs, window: Distance, anchor: Field, scope: Scope, words: Vocabulary
) -> Iterator[Problem]:
    if kind_of(node.operand, scope, words) == "day" or (
        kind_of(anchor, scope, words) not in (None, "time")
    ):
        yield Problem(
            "wrong_kind", "A distance between two fields is measured between times.", "/window"
        )
    if window.unit not in FIXED or window.test == "=":
        yield Problem(
            "calendar_unit",
            "A distance between two fields has a unit up to the week, and no =: use days.",
            "/window/unit",
        )
    if node.ignore_year:
        yield Problem("open_window", "The year counts between two fields.", "/window")


def _reach(window: Window) -> Iterator[Problem]:
    match window:
        case Distance(_, count, unit, _, anchor):
            yield from _count(count, unit)
            if not isinstance(anchor, Field):
                yield from _moment_reach(anchor)
        case Between(start, end):
            yield from _moment_reach(start)
            yield from _moment_reach(end)
        case Side(_, moment):
            yield from _moment_reach(moment)
        case Calendar():
            return


def _moment_reach(moment: Moment) -> Iterator[Problem]:
    while isinstance(moment, Shifted):
        yield from _count(moment.count, moment.unit)
        moment = moment.of


def _count(count: int, unit: Unit) -> Iterator[Problem]:
    if not 0 <= count <= FARTHEST[unit]:
        detail = f"A window reaches at most {FARTHEST[unit]} {unit}s."
        yield Problem("too_far", detail, "/window/count")


def _is_bounded(window: Window) -> bool:
    match window:
        case Distance(test):
            return test in ("<", "<=", "=")
        case Side(which):
            return which == "on"
        case _:
            return True
