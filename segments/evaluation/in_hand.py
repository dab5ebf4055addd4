"""Deciding rules about a few profiles from what is read of them: documents and events.

A statement that carries fifty rules takes the event store longer to analyse than some
hundred profiles take here. Rules that ask for more than the profile (entities, shares and
ranks of everybody) are left to a statement; so are all if there is too much to hold.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import orjson

from cdp.clickhouse import client
from segments.compositions.names import is_of_the_store
from segments.evaluation.asking import Answers, Asked
from segments.language.ast import Any, Condition, Constant, Field, InSegment, Related
from segments.language.clock import Clock
from segments.language.facts import Case, Document, Event, Facts, Instant, Look
from segments.language.match import Compiler
from segments.language.next_change import Timetable
from segments.language.scopes import PROFILE
from segments.language.sql.reach import Reach, reach_of
from segments.language.sql.scan import Rule
from segments.language.timing import choices_of
from segments.language.vocabulary import EVENT_OWN, Vocabulary
from segments.language.walk import Visit, walk

MOST_PROFILES: Final = 1_000
MOST_EVENTS: Final = 50_000


def decided_in_hand(rules: Sequence[Rule], words: Vocabulary) -> list[Rule]:
    """Return the rules that ask for nothing but one profile, its events and each other.

    Rules come parents before children.
    """
    known = {rule.id for rule in rules}
    found: dict[str, Rule] = {}
    for rule in rules:
        nodes = [visit.node for visit in walk(rule.condition, words)]
        segments = {node.segment for node in nodes if isinstance(node, InSegment)}
        if (
            not any(isinstance(node, Related) for node in nodes)
            and not any(map(is_of_the_store, segments))
            and segments & known <= found.keys()
        ):
            found[rule.id] = rule
    return list(found.values())


def answer_in_hand(
    asked: Asked, rules: Sequence[Rule], held: Mapping[str, Sequence[int]], answers: Answers
) -> bool:
    """Add what rules come to, unless more has happened than can be held; tell whether it could.

    `held` are the members of segments as they are stored.
    """
    events = _events(asked, rules)
    if events is None:
        return False
    compiler, instant = Compiler(asked.book.words), Instant(asked.clock)
    tests = [(rule.id, compiler.test(rule.condition, PROFILE)) for rule in rules]
    conditions = [rule.condition for rule in rules]
    timetable = Timetable(conditions, compiler, asked.clock, asked.horizon)
    own = {rule.id for rule in rules}
    segments: dict[int, set[str]] = defaultdict(set)
    for segment, members in {**held, **answers.members()}.items():
        for profile in members if segment not in own else ():
            segments[profile].add(segment)
    for profile, document in _documents(asked):
        facts = Facts(document, events.get(profile, ()), frozenset(segments[profile]))
        case = Case(facts, instant)
        look = Look(case)
        for segment, test in tests:  # parents first
            if test(look):
                case.segments.add(segment)
                answers.inside[profile].add(segment)
        at = timetable.next_change(case)
        if at is not None:
            answers.change(profile, at)
    answers.decided.update(own)
    return True


def _documents(asked: Asked) -> Iterator[tuple[int, Document]]:
    rows = client.fetch(
        "segments",
        "people_in_hand",
        sandbox=asked.sandbox,
        params={"profiles": list(asked.profiles)},
        budget=client.STREAMING,
    )
    for row in rows:
        yield row["profile_id"], orjson.loads(row["body"])


def _events(asked: Asked, rules: Sequence[Rule]) -> dict[int, list[Event]] | None:
    """Return the events of each profile that any of the rules may take; None if too many."""
    visits = [v for rule in rules for v in walk(rule.condition, asked.book.words)]
    choices = [where for visit in visits for where in choices_of(visit)]
    if not choices:
        return {}
    reach = _reach(choices, asked.clock)
    bodies = _reach([visit.choice for visit in visits if _reads_body(visit)], asked.clock)
    rows = client.fetch(
        "segments",
        "events_in_hand",
        sandbox=asked.sandbox,
        params={
            "identities": list(asked.owners),
            "types": sorted(reach.types or ()),
            "since": reach.since or 0,
            "all_bodies": bodies.types is None,
            "bodies_of": sorted(bodies.types or ()),
            "most": MOST_EVENTS + 1,
        },
        budget=client.STREAMING,
    )
    if len(rows) > MOST_EVENTS:
        return None
    events: dict[int, list[Event]] = defaultdict(list)
    for row in rows:
        event = Event(row["at"], row["event_type"], row["event_id"], orjson.loads(row["body"]))
        events[asked.owners[row["identity_id"]]].append(event)
    return events


def _reach(choices: Sequence[Condition | None], clock: Clock) -> Reach:
    """Return what every event that any of the choices takes has in common."""
    if not choices:
        return Reach(types=frozenset())
    return reach_of(Any(tuple(where or Constant(True) for where in choices)), clock)


def _reads_body(visit: Visit) -> bool:
    """Return whether a field stands there that is in the body of an event."""
    node = visit.node
    return (
        isinstance(node, Field)
        and visit.scope.in_event
        and node.of != "profile"
        and not (node.of == "event" and node.path in EVENT_OWN)
    )
