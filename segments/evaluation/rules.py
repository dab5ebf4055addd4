"""The published rules of a sandbox, read once and put in order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from graphlib import TopologicalSorter
from typing import Any
from zoneinfo import ZoneInfo

from cdp.tenancy.models import Sandbox
from segments import selectors
from segments.language.clock import Clock, to_millis
from segments.language.sql.parameters import Parameters
from segments.language.sql.scan import Few, Rule, Statement, shared_scan
from segments.language.tree import read_tree
from segments.language.vocabulary import Vocabulary
from segments.vocabulary import vocabulary

# Whether a profile is in a segment that is not evaluated now, such as an inactive one.
_STORED = """bitmapContains((SELECT groupBitmapMergeState(members) FROM memberships FINAL
    WHERE sandbox_id = {{sandbox:UInt32}} AND segment_id = {segment}), profile_id)"""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules that are evaluated, those that others ask for first."""

    rules: Sequence[Rule]
    words: Vocabulary
    zone: ZoneInfo

    @property
    def ids(self) -> frozenset[str]:
        """The segments that are evaluated."""
        return frozenset(rule.id for rule in self.rules)

    def scan(self, at: datetime, few: Few | None = None) -> Statement:
        """Return the statement that answers all rules at a moment, for a few profiles or all."""
        clock = Clock(to_millis(at), self.zone)
        return shared_scan(self.rules, self.words, clock, few, stored_membership)

    def named(self, places: Iterable[int]) -> frozenset[str]:
        """Return the segments at the places that a row of the scan lists."""
        return frozenset(self.rules[place].id for place in places)


def rule_book(sandbox: Sandbox) -> RuleBook:
    """Read the sandbox's published rules."""
    rows = list(selectors.list_published(sandbox).values("pk", "rule", "references"))
    by_id: dict[str, Any] = {row["pk"]: row for row in rows}
    asks = {key: [r for r in row["references"] if r in by_id] for key, row in by_id.items()}
    order = TopologicalSorter(asks).static_order()
    rules = [Rule(key, read_tree(by_id[key]["rule"])) for key in order]
    words = vocabulary(sandbox) if rules else Vocabulary()
    return RuleBook(rules, words, ZoneInfo(sandbox.time_zone))


def stored_membership(segment: str, parameters: Parameters) -> str:
    """Return SQL for the membership that was written down last."""
    return _STORED.format(segment=parameters.text(segment))
