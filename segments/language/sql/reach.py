"""Which events a choice of events can only take: of which types, from when to when.

The scan leaves out all others before it reads what they say.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from segments.language.ast import (
    All,
    Any,
    Compare,
    Condition,
    Constant,
    Field,
    In,
    Instant,
    Occurs,
    Value,
)
from segments.language.clock import Clock, interval, span
from segments.language.moments import Distance
from segments.language.sql.parameters import Parameters
from segments.language.vocabulary import EVENT_TIME, EVENT_TYPE

MOST_GROUPS = 20
HAPPENS = Field(EVENT_TIME, "event")


@dataclass(frozen=True, slots=True)
class Reach:
    """Event types and the first and the last time; None is any."""

    types: frozenset[str] | None = None
    since: int | None = None
    until: int | None = None


def reach_of(where: Condition | None, clock: Clock) -> Reach:
    """Return what every event that satisfies the condition has in common."""
    match where:
        case All(of):
            return _both([reach_of(child, clock) for child in of])
        case Any(of):
            return _either([reach_of(child, clock) for child in of])
        case Compare("=", Field(path, "event"), Value(str(value)), True) if path == EVENT_TYPE:
            return Reach(types=frozenset({value}))
        case In(Field(path, "event"), Value(tuple(values)), False, True) if path == EVENT_TYPE:
            return Reach(types=frozenset(str(value) for value in values))
        case Occurs(Field(path, "event"), window, False) if path == EVENT_TIME:
            if isinstance(window, Distance) and isinstance(window.anchor, Field):
                return Reach()
            return Reach(since=interval(window, clock).start)
        case Compare(">" | ">=" | "=", Field(path, "event"), Instant(moment)) if path == EVENT_TIME:
            return Reach(since=span(moment, clock)[0])
        case _:
            return Reach()


def since_and_rest(where: Condition | None, clock: Clock) -> tuple[int, Condition] | None:
    """Take a choice of past events apart: from when on, and what else it asks of them.

    None unless it has just one window, and that one begins after 1970 and is open to the present.
    """
    if where is None:
        return None
    parts = where.of if isinstance(where, All) else (where,)
    windows = [part for part in parts if isinstance(part, Occurs) and part.operand == HAPPENS]
    if len(windows) != 1 or windows[0].ignore_year:
        return None
    window = windows[0].window
    if isinstance(window, Distance) and isinstance(window.anchor, Field):
        return None
    seen = interval(window, clock)
    if not seen.start or seen.start < 0 or (seen.end is not None and seen.end <= clock.now):
        return None
    rest = tuple(part for part in parts if part is not windows[0])
    return seen.start, All(rest) if rest else Constant(True)


def reach_sql(reaches: Iterable[Reach], parameters: Parameters) -> str:
    """Return a condition that lets every event of any of the reaches through."""
    stretches: dict[frozenset[str] | None, list[Reach]] = {}
    for reach in reaches:
        stretches.setdefault(reach.types, []).append(reach)
    groups = [group for each in stretches.values() for group in _joined(each)]
    if len(groups) > MOST_GROUPS:
        groups = [_either(groups)]
    tests = list(dict.fromkeys(_test(group, parameters) for group in groups))
    return f"({' OR '.join(tests)})" if tests and "1" not in tests else "1"


def _joined(reaches: list[Reach]) -> list[Reach]:
    """Return reaches of the same types with those that overlap joined."""
    joined: list[Reach] = []
    for reach in sorted(reaches, key=_start):
        last = joined[-1] if joined else None
        if last and (last.until is None or _start(reach) <= last.until + 1):
            joined[-1] = _either([last, reach])
        else:
            joined.append(reach)
    return joined


def _start(reach: Reach) -> int:
    return -(2**62) if reach.since is None else reach.since


def _test(reach: Reach, parameters: Parameters) -> str:
    tests = []
    if reach.types is not None:
        tests.append(f"event_type IN {parameters.texts(sorted(reach.types))}")
    if reach.since is not None:
        tests.append(f"ts >= fromUnixTimestamp64Milli({reach.since}, 'UTC')")
    if reach.until is not None:
        tests.append(f"ts <= fromUnixTimestamp64Milli({reach.until}, 'UTC')")
    return " AND ".join(tests) or "1"


def _both(reaches: list[Reach]) -> Reach:
    types = [reach.types for reach in reaches if reach.types is not None]
    starts = [reach.since for reach in reaches if reach.since is not None]
    return Reach(frozenset.intersection(*types) if types else None, max(starts, default=None))


def _either(reaches: list[Reach]) -> Reach:
    known = [reach.types for reach in reaches if reach.types is not None]
    starts = [reach.since for reach in reaches if reach.since is not None]
    ends = [reach.until for reach in reaches if reach.until is not None]
    return Reach(
        frozenset().union(*known) if len(known) == len(reaches) else None,
        min(starts) if len(starts) == len(reaches) else None,
        max(ends) if len(ends) == len(reaches) else None,
    )
