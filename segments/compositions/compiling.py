"""A composition as rules: one for each segment that results."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from segments.compositions.definition import (
    Definition,
    Excluded,
    FromRule,
    FromSegment,
    Join,
    Joined,
    Part,
    SplitByShare,
    SplitByValue,
    ValueBranch,
)
from segments.compositions.names import Share, ranked_name, share_name
from segments.language.ast import (
    All,
    Any,
    Condition,
    Field,
    In,
    InSegment,
    IsNull,
    Not,
    Value,
)

WHOLE = "all"
"""The key of the only result of a composition that does not split."""


@dataclass(frozen=True, slots=True)
class Result:
    """One segment that results: its key, its name (empty for the composition's), its rule."""

    key: str
    name: str
    rule: Condition


def results_of(definition: Definition, composition: str) -> list[Result]:
    """Return the segments that result from a composition with this id."""
    base = base_of(definition)
    if definition.rank is not None:
        base = _all(base, InSegment(ranked_name(composition)))
    match definition.split:
        case SplitByShare() as split:
            return list(_shares(split, base, composition))
        case SplitByValue() as split:
            return [
                Result(branch.key, branch.name, _all(base, _takes(branch, split)))
                for branch in split.branches
            ]
        case None:
            return [Result(WHOLE, "", base)]


def base_of(definition: Definition) -> Condition:
    """Return the rule of those who are ranked and split."""
    rule = _rule_of(definition.of)
    if definition.rank is None:
        return rule
    return _all(rule, IsNull(Field(definition.rank.by), negated=True))


def _rule_of(part: Part) -> Condition:
    match part:
        case FromSegment(segment):
            return InSegment(segment)
        case FromRule(rule):
            return rule
        case Excluded(of, without):
            return _all(_rule_of(of), Not(_rule_of(without)))
        case Joined(how, of):
            return _joined(how, [_rule_of(each) for each in of])


def _joined(how: Join, rules: Sequence[Condition]) -> Condition:
    match how:
        case "union":
            return _any(rules)
        case "intersection":
            return _all(*rules)
        case "in_one_only":
            return _all(_any(rules), Not(_all(*rules)))


def _shares(split: SplitByShare, base: Condition, composition: str) -> Iterable[Result]:
    start = 0
    for branch in split.branches:
        end = start + branch.parts
        share = InSegment(share_name(Share(composition, start, end)))
        yield Result(branch.key, branch.name, _all(base, share))
        start = end


def _takes(branch: ValueBranch, split: SplitByValue) -> Condition:
    attribute = Field(split.attribute)
    if branch.values:
        return In(attribute, Value(branch.values))
    taken = tuple(value for each in split.branches for value in each.values)
    return Not(In(attribute, Value(taken)))


def _all(*rules: Condition) -> Condition:
    """Return a container without containers of its own kind in it, as trees are kept."""
    flat = [each for rule in rules for each in (rule.of if isinstance(rule, All) else (rule,))]
    distinct = tuple(dict.fromkeys(flat))
    return distinct[0] if len(distinct) == 1 else All(distinct)


def _any(rules: Iterable[Condition]) -> Condition:
    flat = [each for rule in rules for each in (rule.of if isinstance(rule, Any) else (rule,))]
    distinct = tuple(dict.fromkeys(flat))
    return distinct[0] if len(distinct) == 1 else Any(distinct)
