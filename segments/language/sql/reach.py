"""Which events a choice of events can only take: of which types, since when.

The scan leaves out all others before it reads what they say.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from segments.language.ast import All, Any, Compare, Condition, Field, In, Instant, Occurs, Value
from segments.language.clock import Clock, interval, span
from segments.language.moments import Distance
from segments.language.sql.parameters import Parameters
from segments.language.vocabulary import EVENT_TIME, EVENT_TYPE

MOST_GROUPS = 20


@dataclass(frozen=True, slots=True)
class Reach:
    """Event types and an earliest time; None is any."""

    types: frozenset[str] | None = None
    since: int | None = None


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


def reach_sql(reaches: Iterable[Reach], parameters: Parameters) -> str:
    """Return a condition that lets every event of any of the reaches through."""
    since: dict[frozenset[str] | None, int | None] = {}
    for reach in reaches:
        if reach.types in since:
            since[reach.types] = _earlier(since[reach.types], reach.since)
        else:
            since[reach.types] = reach.since
    if len(since) > MOST_GROUPS:
        everything = _either([Reach(types, start) for types, start in since.items()])
        since = {everything.types: everything.since}
    groups = [_group(types, start, parameters) for types, start in since.items()]
    return f"({' OR '.join(groups)})" if groups and "1" not in groups else "1"


def _group(types: frozenset[str] | None, since: int | None, parameters: Parameters) -> str:
    tests = []
    if types is not None:
        tests.append(f"event_type IN {parameters.texts(sorted(types))}")
    if since is not None:
        tests.append(f"ts >= fromUnixTimestamp64Milli({since}, 'UTC')")
    return " AND ".join(tests) or "1"


def _both(reaches: list[Reach]) -> Reach:
    types = [reach.types for reach in reaches if reach.types is not None]
    starts = [reach.since for reach in reaches if reach.since is not None]
    return Reach(frozenset.intersection(*types) if types else None, max(starts, default=None))


def _either(reaches: list[Reach]) -> Reach:
    types = [reach.types for reach in reaches]
    known = [each for each in types if each is not None]
    since = reaches[0].since if reaches else None
    for reach in reaches:
        since = _earlier(since, reach.since)
    return Reach(frozenset().union(*known) if len(known) == len(types) else None, since)


def _earlier(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else min(one, other)
