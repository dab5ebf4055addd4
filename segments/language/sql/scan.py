"""Many rules as one statement: the shared scan.

Every rule becomes a test over three things: the profile's attributes, what the
passes fold of its events, and the other rules. Equal parts are computed once. The
statement reads the events once (twice, if some rules compare events with
attributes), and joins what it folded to the profiles.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segments.language import ast
from segments.language.ast import (
    Aggregate,
    Condition,
    Constant,
    Events,
    Field,
    Happened,
    InSegment,
    Items,
)
from segments.language.chain import unroll
from segments.language.clock import Clock
from segments.language.facts import Facts
from segments.language.kinds import kind_of
from segments.language.match import matches
from segments.language.scopes import PROFILE
from segments.language.sql.conditions import ConditionWriter
from segments.language.sql.expressions import Sql
from segments.language.sql.frames import Columns, Frame, TableFrame
from segments.language.sql.layers import Layers
from segments.language.sql.parameters import Parameters
from segments.language.sql.parts import assumed, best, is_of_events, operands_of, present
from segments.language.sql.passes import Pass, Touched
from segments.language.sql.reach import since_and_rest
from segments.language.sql.sequences import SequenceWriter
from segments.language.vocabulary import Vocabulary
from segments.language.walk import Node, walk


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its parameters; the sandbox's is added by whoever runs it."""

    text: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule under the id by which others refer to it."""

    id: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Few:
    """The only profiles to look at, and all identities whose events may be theirs."""

    profiles: Sequence[int]
    identities: Sequence[int]


Stored = Callable[[str, Parameters], str]


def nobody(segment: str, parameters: Parameters) -> str:
    """Stand in for stored memberships where there are none."""
    return "0"


def members_scan(
    rules: Sequence[Rule], words: Vocabulary, clock: Clock, stored: Stored = nobody
) -> Statement:
    """Return a statement with a row for each rule: its id and its members as a bitmap's state."""
    writer = ScanWriter(words, clock, stored)
    pairs = [
        f"({writer.parameters.text(rule.id)}, groupBitmapStateIf(profile_id, {writer.rule(rule)}))"
        for rule in rules
    ]
    text = f"""SELECT one.1 AS segment_id, one.2 AS members
FROM (SELECT arrayJoin([{", ".join(pairs)}]) AS one FROM ({writer.answered(None)}))"""
    return Statement(text, writer.parameters.values)


def estimate_scan(
    rule: Condition,
    words: Vocabulary,
    clock: Clock,
    *,
    thousandths: int,
    shown: int,
    stored: Stored = nobody,
) -> Statement:
    """Return a statement with one row: how many were looked at, how many satisfy, and some of them.

    Looks at so many thousandths of the profiles: always the same ones, whatever the rule.
    """
    writer = ScanWriter(words, clock, stored)
    writer.thousandths = thousandths
    name = writer.rule(Rule("", rule))
    text = f"""SELECT count(), countIf({name} = 1),
  groupArrayIf({shown})(profile_id, {name} = 1)
FROM ({writer.answered(None)})"""
    return Statement(text, writer.parameters.values)


class ScanWriter(ConditionWriter):
    """Writes rules about profiles, and collects what the passes must fold for them."""

    def __init__(self, words: Vocabulary, clock: Clock, stored: Stored) -> None:
        super().__init__(words, clock, Parameters())
        self.rules: dict[str, str] = {}
        self.answers = Layers("rule")
        self.stored = stored
        self.thousandths = 1_000
        self.columns = Columns("profile_field")
        self.profile = TableFrame(PROFILE, self.columns)
        self.passes = [Pass("f", clock, False), Pass("g", clock, True)]
        self.inside: Pass | None = None

    def rule(self, rule: Rule) -> str:
        """Return the column that answers a rule."""
        name = self.answers.name(self.condition(rule.condition, self.profile))
        self.rules[rule.id] = name
        return name

    def answered(self, few: Few | None) -> str:
        """Return the select of the profiles with an answer to each rule."""
        touched = None
        if few is not None:
            profiles = self.parameters.numbers(few.profiles)
            touched = Touched(profiles, self.parameters.numbers(few.identities))
        among = f" AND profile_id IN {touched.profiles}" if touched else ""
        if self.thousandths < 1_000:
            among += f" AND cityHash64(profile_id) % 1000 < {self.thousandths}"
        used = [each for each in self.passes if each.reaches]
        seen = [*self.columns.names.values(), *(name for each in used for name in each.columns())]
        joins = "".join(
            f"""
  LEFT ANY JOIN (
    {each.sql(self.parameters, touched)}
  ) AS {each.name} ON {each.name}.{each.name}_owner = p.profile_id"""
            for each in used
        )
        return self.answers.over(f"""
  SELECT {", ".join(["profile_id", *seen])}
  FROM (
    SELECT profile_id{self.columns.listed()}
    FROM profiles FINAL WHERE sandbox_id = {{sandbox:UInt32}}{among}
  ) AS p{joins}""")

    def test(self, node: Any, frame: Frame) -> str:
        """Return a single test; one about events alone is made where they are folded."""
        home = self._home(node) if frame is self.profile and self.inside is None else None
        if home is None:
            return super().test(node, frame)
        self.inside = home
        text = super().test(node, frame)
        self.inside = None
        return home.leaf(text, otherwise=matches(node, Facts(), self.clock, self.words))

    def about_profile(self, node: Happened | ast.Sequence | InSegment, frame: Frame) -> str:
        """Return a condition on a profile's events or segments."""
        match node:
            case Happened(events):
                home = self._pass_for(node)
                return home.leaf(self._happened(home, events), otherwise=False)
            case ast.Sequence():
                home = self._pass_for(node)
                writer = SequenceWriter(home.step, lambda where: self._times(home, where))
                return home.leaf(writer.test(unroll(node)), otherwise=False)
            case InSegment(segment):
                if segment in self.rules:
                    return self.rules[segment]
                return self.stored(segment, self.parameters)

    def over_events(self, node: Aggregate, frame: Frame) -> Sql:
        """Return an aggregate over events of the profile."""
        home = self._pass_for(node)
        kind = kind_of(node, frame.scope, self.words) or "number"
        over = node.over
        events = over if isinstance(over, Events) else over.events
        chosen = self._chosen(home, events or Events())
        if node.of is None and isinstance(over, Events):
            return Sql(self._fold(home, f"countIf({chosen})"), kind, nullable=False)
        with_event = home.frame()
        if isinstance(over, Items):
            values = Sql(self.chosen_values(node, over, with_event), "number", depth=1)
        else:
            values = self.measured(node, with_event)
        return self._folded(home, node.function, values, chosen, kind)

    def _folded(self, home: Pass, function: str, values: Sql, chosen: str, kind: Any) -> Sql:
        """Return the aggregate of a value, or of an array of them, of each chosen event."""
        many, text = values.depth > 0, values.text
        length = f"length({present(text)})" if many else f"isNotNull({text})"
        count = f"sum(if({chosen}, {length}, 0))"
        if function == "count":
            return Sql(self._fold(home, count), kind, nullable=False)
        if function == "distinct":
            one = (
                f"uniqExactArrayIf({assumed(text)}, {chosen})"
                if many
                else (f"uniqExactIf({text}, {chosen})")
            )
            return Sql(self._fold(home, one), kind, nullable=False)
        if function in ("min", "max"):
            value = best(function, text) if many else text
            return Sql(self._fold(home, f"{function}If(toNullable({value}), {chosen})"), kind)
        held = f"arraySum(s -> toInt128(s), {assumed(text)})" if many else f"ifNull({text}, 0)"
        total = self._fold(home, f"sumIf(toInt128({held}), {chosen})")
        if function == "sum":
            return Sql(total, kind, nullable=False)
        number = self._fold(home, count)
        return Sql(f"if({number} = 0, NULL, intDivOrZero({total}, toInt128({number})))", kind)

    def _fold(self, home: Pass, aggregate: str) -> str:
        """Return a fold as named where the test is made: inside the pass, or after the join."""
        name = home.fold(aggregate)
        return name if self.inside is home else home.carry(name)

    def _happened(self, home: Pass, events: Events) -> str:
        """Return whether there is such an event."""
        parts = since_and_rest(events.where, self.clock)
        if parts is None:
            return f"{home.fold(f'groupBitOr({self._chosen(home, events)})')} = 1"
        since, rest = parts
        home.covers(events.where)
        chosen = home.happened(self.condition(rest, home.frame()))
        return f"{home.since(chosen, since)} = 1"

    def _times(self, home: Pass, where: Condition) -> str:
        return home.fold(f"groupArrayIf(at, {self._chosen(home, Events(where))})")

    def _chosen(self, home: Pass, events: Events) -> str:
        home.covers(events.where)
        where = Constant(True) if events.where is None else events.where
        return home.happened(self.condition(where, home.frame()))

    def _pass_for(self, node: Node) -> Pass:
        """Return the pass that can read what a choice of events compares events with."""
        beside = any(
            isinstance(visit.node, Field) and visit.node.of == "profile"
            for visit in walk(node, self.words)
            if visit.scope.in_event
        )
        return self.passes[int(beside)]

    def _home(self, node: Node) -> Pass | None:
        """Return the pass in which a test can be made whole, if there is one."""
        parts = list(operands_of(node))
        if any(isinstance(part, Field) for part in parts):
            return None
        homes = {
            self._pass_for(p).name for p in parts if isinstance(p, Aggregate) and is_of_events(p)
        }
        if len(homes) != 1 or any(isinstance(p, Aggregate) and not is_of_events(p) for p in parts):
            return None
        return next(each for each in self.passes if each.name in homes)
