"""Moments and windows of time as a rule says them; `clock.py` tells when they are."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from segments.language.ast import Field

Unit = Literal[
    "millisecond",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "decade",
    "century",
]
Direction = Literal["before", "after"]
AnchorName = Literal["now", "today", "yesterday", "tomorrow"]
DistanceTest = Literal["<", "<=", "=", ">=", ">"]

UNITS: tuple[Unit, ...] = (
    "millisecond",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "decade",
    "century",
)
# Milliseconds of the units that have one length; the longer ones follow the calendar.
FIXED: dict[Unit, int] = {
    "millisecond": 1,
    "second": 1_000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 604_800_000,
}
ANCHORS: tuple[AnchorName, ...] = ("now", "today", "yesterday", "tomorrow")
DISTANCE_TESTS: tuple[DistanceTest, ...] = ("<", "<=", "=", ">=", ">")


# --- moments -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Anchor:
    """A moment told from the moment of evaluation; `today` and its neighbours are whole days."""

    name: AnchorName


@dataclass(frozen=True, slots=True)
class Absolute:
    """A fixed millisecond, counted from 1970 in UTC."""

    at: int


@dataclass(frozen=True, slots=True)
class Day:
    """A fixed day of the sandbox's calendar."""

    date: date


@dataclass(frozen=True, slots=True)
class Shifted:
    """So many units before or after another moment."""

    count: int
    unit: Unit
    direction: Direction
    of: "Moment"


Moment = Anchor | Absolute | Day | Shifted


# --- windows -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Distance:
    """Not farther (or farther) than so many units before or after a moment or another time.

    `<=` takes both ends in; `=` is the whole calendar unit that many units away.
    """

    test: DistanceTest
    count: int
    unit: Unit
    direction: Direction
    anchor: "Moment | Field"


@dataclass(frozen=True, slots=True)
class Calendar:
    """The last, this or the next whole unit of the calendar."""

    which: Literal["last", "this", "next"]
    unit: Unit


@dataclass(frozen=True, slots=True)
class Between:
    """From one moment to another, both taken in; a day is taken in whole."""

    start: Moment
    end: Moment


@dataclass(frozen=True, slots=True)
class Side:
    """Before a moment, after it, or on it (a day: at any time of it)."""

    which: Literal["before", "after", "on"]
    moment: Moment


Window = Distance | Calendar | Between | Side
