"""The published rules of a sandbox, read once and put in order."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from graphlib import TopologicalSorter
from zoneinfo import ZoneInfo

import orjson

from cdp.tenancy.models import Sandbox
from segments import selectors
from segments.evaluation.log import stored_membership
from segments.language.ast import Condition
from segments.language.clock import Clock, to_millis
from segments.language.sql.rechecks import next_changes_scan
from segments.language.sql.scan import Few, Rule, Statement, members_scan, shared_scan
from segments.language.tree_reading import read_condition
from segments.language.vocabulary import Vocabulary
from segments.vocabulary import vocabulary


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rules that are evaluated, those that others ask for first, and their versions."""

    rules: Sequence[Rule]
    versions: Mapping[str, int]
    words: Vocabulary
    zone: ZoneInfo

    @property
    def ids(self) -> frozenset[str]:
        """The segments that are evaluated."""
        return frozenset(self.versions)

    def few(self, at: datetime, few: Few) -> Statement:
        """Return the statement that answers all rules for a few profiles."""
        return shared_scan(self.rules, self.words, self.clock(at), few, stored_membership)

    def everybody(self, at: datetime) -> Statement:
        """Return the statement that finds the members of each segment."""
        return members_scan(self.rules, self.words, self.clock(at), stored_membership)

    def next_changes(
        self, at: datetime, until: datetime, few: Few | None = None
    ) -> Statement | None:
        """Return the statement that finds when profiles next change by themselves."""
        conditions = [rule.condition for rule in self.rules]
        clock, horizon = self.clock(at), to_millis(until)
        return next_changes_scan(conditions, self.words, clock, horizon, few, stored_membership)

    def clock(self, at: datetime) -> Clock:
        """Return the moment in the sandbox's zone."""
        return Clock(to_millis(at), self.zone)

    def named(self, places: Iterable[int]) -> frozenset[str]:
        """Return the segments at the places that a row of the scan lists."""
        return frozenset(self.rules[place].id for place in places)


def rule_book(sandbox: Sandbox, wanted: Collection[str] = ()) -> RuleBook:
    """Read the published rules; with `wanted`, only those and what they ask for."""
    rows = selectors.list_published(sandbox).values("pk", "rule", "references", "version")
    by_id = {row["pk"]: row for row in rows}
    asks = {key: [r for r in row["references"] if r in by_id] for key, row in by_id.items()}
    needed = _with_parents(wanted, asks) if wanted else set(by_id)
    order = [key for key in TopologicalSorter(asks).static_order() if key in needed]
    return RuleBook(
        rules=[Rule(key, _parsed(orjson.dumps(by_id[key]["rule"]))) for key in order],
        versions={key: by_id[key]["version"] for key in order},
        words=vocabulary(sandbox) if order else Vocabulary(),
        zone=ZoneInfo(sandbox.time_zone),
    )


def _with_parents(wanted: Iterable[str], asks: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [key for key in wanted if key in asks]
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting.extend(asks[key])
    return found


@lru_cache(maxsize=2_000)
def _parsed(tree: bytes) -> Condition:
    """Return a stored rule; it was checked when it was stored."""
    return read_condition(orjson.loads(tree))
