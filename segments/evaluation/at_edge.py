"""Deciding rules for a visitor while the visitor waits, from one request and one profile.

What happened before is not read: it decides only through the memberships that were
written last. So there are three answers. A choice of events that this request makes
true is true, whatever was before; whatever else rests on events stays open, and an
open rule leaves the membership as it is.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from segments.compositions.names import is_of_the_store
from segments.language.ast import (
    Aggregate,
    All,
    Any,
    Condition,
    Events,
    Happened,
    InSegment,
    Items,
    Not,
    Related,
    Sequence,
)
from segments.language.choosing import Test
from segments.language.clock import Clock
from segments.language.facts import Case, Facts, Instant, Look
from segments.language.match import Compiler
from segments.language.scopes import PROFILE
from segments.language.sql.scan import Rule
from segments.language.vocabulary import Vocabulary
from segments.language.walk import walk


@dataclass(frozen=True, slots=True)
class EdgeRule:
    """A rule, how each of its parts is tested, and which of them a request cannot decide.

    `events` rest on what happened before, `look_ups` on entities besides.
    """

    id: str
    condition: Condition
    tests: Mapping[int, Test]
    events: frozenset[int]
    look_ups: frozenset[int]


def edge_rule(rule: Rule, words: Vocabulary) -> EdgeRule:
    """Find out once how the parts of a rule are tested, and which of them have to stay open."""
    compiler, leaves = Compiler(words), list(_leaves(rule.condition))
    nodes = {id(leaf): [visit.node for visit in walk(leaf, words)] for leaf in leaves}
    return EdgeRule(
        rule.id,
        rule.condition,
        tests={id(leaf): compiler.test(leaf, PROFILE) for leaf in leaves},
        events=frozenset(key for key, found in nodes.items() if any(map(_is_history, found))),
        look_ups=frozenset(
            key for key, found in nodes.items() if any(isinstance(n, Related) for n in found)
        ),
    )


@dataclass(frozen=True, slots=True)
class Visitor:
    """What is known while the visitor waits.

    `held` are the memberships that were written last; None for somebody of whom
    nothing has ever been stored, so that this request is all that has happened.
    """

    facts: Facts
    clock: Clock
    held: Collection[str] | None


def decide_all(
    rules: Collection[EdgeRule], visitor: Visitor, is_late: Callable[[], bool]
) -> set[str]:
    """Return the segments of these rules that the visitor is in, parents before children.

    Once it is late, what has not been decided is as it was written last; so is what no
    rule decides.
    """
    decider = _Decider(visitor)
    inside = set(visitor.held or ()) - {rule.id for rule in rules}
    for rule in rules:
        verdict = None if is_late() else decider.verdict(rule, rule.condition, inside)
        if verdict or (verdict is None and rule.id in (visitor.held or ())):
            inside.add(rule.id)
    return inside


class _Decider:
    """Gives the three answers; None is an open one."""

    def __init__(self, visitor: Visitor) -> None:
        self._look = Look(Case(visitor.facts, Instant(visitor.clock)))
        self._is_all = visitor.held is None

    def verdict(self, rule: EdgeRule, node: Condition, inside: Collection[str]) -> bool | None:
        """Return what a part of a rule comes to."""
        match node:
            case All(of):
                return _all([self.verdict(rule, child, inside) for child in of])
            case Any(of):
                return _opposite(
                    _all([_opposite(self.verdict(rule, child, inside)) for child in of])
                )
            case Not(of):
                return _opposite(self.verdict(rule, of, inside))
            case InSegment(segment) if is_of_the_store(segment):
                return None
            case InSegment(segment):
                return segment in inside
            case _ if id(node) in rule.look_ups:
                return None
            case Happened() if not self._is_all:
                return rule.tests[id(node)](self._look) or None
            case _ if id(node) in rule.events and not self._is_all:
                return None
            case _:
                return rule.tests[id(node)](self._look)


def _all(answers: list[bool | None]) -> bool | None:
    if False in answers:
        return False
    return None if None in answers else True


def _opposite(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _leaves(node: Condition) -> Iterator[Condition]:
    match node:
        case All(of) | Any(of):
            for child in of:
                yield from _leaves(child)
        case Not(of):
            yield from _leaves(of)
        case _:
            yield node


def _is_history(node: object) -> bool:
    match node:
        case Happened() | Sequence() | Aggregate(_, Events()) | Aggregate(_, Items(_, _, Events())):
            return True
        case _:
            return False
