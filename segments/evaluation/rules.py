"""The published rules of a sandbox, read once and put in order."""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from graphlib import TopologicalSorter
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from cdp.tenancy.models import Sandbox
from segments import selectors
from segments.compositions.compiling import base_of
from segments.compositions.definition import Definition
from segments.compositions.names import base_name, read_share
from segments.compositions.reading import stored_definition
from segments.enums import SegmentOrigin
from segments.evaluation.stored import Found, Logged, Ranking
from segments.language.ast import Condition, InSegment
from segments.language.clock import Clock, to_millis
from segments.language.sql.rechecks import next_changes_scan
from segments.language.sql.scan import Few, Rule, Statement, Stored, members_scan
from segments.language.sql.touched import touched_scan
from segments.language.tree_reading import read_condition
from segments.language.vocabulary import Vocabulary
from segments.language.walk import walk
from segments.vocabulary import vocabulary

MOST_NODES: Final = 3_000  # of the rules of one statement; a dozen make an ordinary rule


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rules that are evaluated, those that others ask for first, and their versions.

    `stages` are for everybody: what is ranked must have been found before it is. The
    members of `uploads` follow from rows and not from rules.
    """

    rules: Sequence[Rule]
    stages: Sequence[Sequence[Rule]]
    versions: Mapping[str, int]
    rankings: Mapping[str, Ranking]
    uploads: Sequence[str]
    words: Vocabulary
    zone: ZoneInfo

    @property
    def ids(self) -> frozenset[str]:
        """The segments that are evaluated."""
        return frozenset(self.versions)

    def few(
        self, rules: Sequence[Rule], at: datetime, until: datetime, few: Few, stored: Stored
    ) -> Statement:
        """Return the statement that answers rules for a few profiles, and when they change."""
        return touched_scan(rules, self.words, self.clock(at), to_millis(until), few, stored)

    def everybody(self, at: datetime, evaluation: UUID) -> Iterator[Statement]:
        """Yield the statements that find the members of each segment, to be run in turn."""
        stored = Found(self.rankings, evaluation, self.ids, self.words)
        for stage in self.stages:
            for rules in in_parts(stage):
                yield members_scan(rules, self.words, self.clock(at), stored)

    def next_changes(self, at: datetime, until: datetime) -> Iterator[Statement]:
        """Yield the statements that find when profiles next change by themselves."""
        clock, horizon, stored = self.clock(at), to_millis(until), Logged(self.rankings)
        for rules in in_parts(self.rules):
            conditions = [rule.condition for rule in rules]
            statement = next_changes_scan(conditions, self.words, clock, horizon, stored)
            if statement is not None:
                yield statement

    def clock(self, at: datetime) -> Clock:
        """Return the moment in the sandbox's zone."""
        return Clock(to_millis(at), self.zone)

    @property
    def asks_the_store(self) -> bool:
        """Whether a rule asks for memberships that are not evaluated with it."""
        return any(not asked <= self.ids for asked in map(_asked, self.rules))


def in_parts(rules: Iterable[Rule]) -> Iterator[list[Rule]]:
    """Yield rules, in their order, as many at a time as one statement answers.

    Rules share the reading of events; but what a statement takes to be analysed, and the
    memory of its aggregates, grow with what it carries.
    """
    part: list[Rule] = []
    nodes = 0
    for rule in rules:
        size = _size(rule.condition)
        if part and nodes + size > MOST_NODES:
            yield part
            part, nodes = [], 0
        part.append(rule)
        nodes += size
    if part:
        yield part


def rule_book(
    sandbox: Sandbox, wanted: Collection[str] = (), *, with_children: bool = True
) -> RuleBook:
    """Read the published rules; with `wanted`, only those and what they ask for.

    `with_children` takes those that ask for them along, too.
    """
    rows = selectors.list_published(sandbox).values(
        "pk", "rule", "references", "version", "origin", "composition"
    )
    by_id = {row["pk"]: row for row in rows}
    asks = {key: [r for r in row["references"] if r in by_id] for key, row in by_id.items()}
    needed = set(by_id)
    if wanted:
        beside = _with_children(wanted, asks) if with_children else wanted
        needed = _reached(beside, asks, asks)
    order = [key for key in TopologicalSorter(asks).static_order() if key in needed]
    uploads = [key for key in order if by_id[key]["origin"] == SegmentOrigin.UPLOAD]
    rules = [
        Rule(key, _parsed(orjson.dumps(by_id[key]["rule"]))) for key in order if key not in uploads
    ]
    composed = {key: by_id[key]["composition"] for key in order if by_id[key]["composition"]}
    ranked = _ranked(sandbox, composed)
    return RuleBook(
        rules=rules,
        stages=_stages(rules, asks, composed, {key: base_of(d) for key, d in ranked.items()}),
        versions={key: by_id[key]["version"] for key in order},
        rankings={key: _ranking(key, definition, composed) for key, definition in ranked.items()},
        uploads=uploads,
        words=vocabulary(sandbox) if order else Vocabulary(),
        zone=ZoneInfo(sandbox.time_zone),
    )


def _with_children(wanted: Iterable[str], asks: Mapping[str, Sequence[str]]) -> set[str]:
    """Return segments with those that ask for them, however far below."""
    asked_by: dict[str, list[str]] = defaultdict(list)
    for key, references in asks.items():
        for reference in references:
            asked_by[reference].append(key)
    return _reached(wanted, asks, asked_by)


def _reached(
    wanted: Iterable[str], known: Container[str], ways: Mapping[str, Sequence[str]]
) -> set[str]:
    found: set[str] = set()
    waiting = [key for key in wanted if key in known]
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting.extend(ways.get(key, ()))
    return found


def _ranked(sandbox: Sandbox, composed: Mapping[str, str]) -> dict[str, Definition]:
    """Return the definitions of the compositions that rank."""
    if not composed:
        return {}
    rows = selectors.list_compositions(sandbox).filter(
        pk__in=set(composed.values()), definition__has_key="rank"
    )
    return {key: stored_definition(tree) for key, tree in rows.values_list("pk", "definition")}


def _ranking(key: str, definition: Definition, composed: Mapping[str, str]) -> Ranking:
    rank = definition.rank
    if rank is None:
        raise LookupError(f"{key} does not rank.")
    results = [segment for segment, composition in composed.items() if composition == key]
    return Ranking(rank.by, rank.order == "descending", rank.limit, results)


def _stages(
    rules: Sequence[Rule],
    asks: Mapping[str, Sequence[str]],
    composed: Mapping[str, str],
    bases: Mapping[str, Condition],
) -> list[list[Rule]]:
    """Return the rules in as few stages as there are ranks upon ranks.

    What results from a rank comes one stage after those who are ranked, who are found
    as if they were a segment.
    """
    stages: list[list[Rule]] = []
    level: dict[str, int] = {}
    based: set[str] = set()
    for rule in rules:
        below = max((level.get(asked, 0) for asked in asks[rule.id]), default=0)
        composition = composed.get(rule.id, "")
        level[rule.id] = below + (composition in bases)
        stages += [[] for _ in range(level[rule.id] + 1 - len(stages))]
        if composition in bases and composition not in based:
            based.add(composition)
            stages[below].append(Rule(base_name(composition), bases[composition]))
        stages[level[rule.id]].append(rule)
    return stages


def _asked(rule: Rule) -> frozenset[str]:
    return _names_in(rule.condition)


@lru_cache(maxsize=2_000)
def _size(condition: Condition) -> int:
    return sum(1 for _ in walk(condition, Vocabulary()))


@lru_cache(maxsize=2_000)
def _names_in(condition: Condition) -> frozenset[str]:
    visits = walk(condition, Vocabulary())
    names = (v.node.segment for v in visits if isinstance(v.node, InSegment))
    return frozenset(name for name in names if read_share(name) is None)


@lru_cache(maxsize=2_000)
def _parsed(tree: bytes) -> Condition:
    """Return a stored rule; it was checked when it was stored."""
    return read_condition(orjson.loads(tree))
