"""A rule read for profiles in hand: the second reader, beside the SQL.

Read once, a rule becomes functions that are asked of each profile. What both readers
agree on: a missing value makes every test false but `is_null`; a field with many values
passes if one of them does; events that lie ahead have not happened yet.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any as Json
from typing import assert_never

from segments.language.ast import (
    All,
    Any,
    Compare,
    Condition,
    Constant,
    Field,
    Happened,
    In,
    InSegment,
    IsNull,
    ItemsMatch,
    Not,
    Occurs,
    Operand,
    Related,
    Sequence,
    Sets,
    Text,
    Value,
)
from segments.language.chain import is_complete, unroll
from segments.language.choosing import Test
from segments.language.clock import Clock, distance_from, interval
from segments.language.exact import to_micro
from segments.language.facts import Case, Event, Facts, Instant, Look
from segments.language.kinds import OperandKind
from segments.language.match_operands import EVENTS, OperandCompiler
from segments.language.match_tests import (
    Passes,
    comparison,
    day_text,
    lying_in,
    set_compared,
    text_test,
)
from segments.language.moments import Distance
from segments.language.scopes import PROFILE, Scope, bind
from segments.language.values import Values, items_reader, raw_reader
from segments.language.vocabulary import Vocabulary


def matches(rule: Condition, facts: Facts, clock: Clock, words: Vocabulary) -> bool:
    """Return whether a profile satisfies a rule at the clock's instant."""
    return _compiled(rule, PROFILE, words)(Look(Case(facts, Instant(clock))))


def event_matches(
    condition: Condition, event: Event, facts: Facts, clock: Clock, words: Vocabulary
) -> bool:
    """Return whether one event satisfies a condition on events."""
    return _compiled(condition, EVENTS, words)(Look(Case(facts, Instant(clock)), event))


@lru_cache(maxsize=1_000)
def _compiled(node: Condition, scope: Scope, words: Vocabulary) -> Test:
    return Compiler(words).test(node, scope)


class Compiler(OperandCompiler):
    """Compiles conditions into tests of what is looked at.

    Rules that are compiled by the same one share their choices of events.
    """

    def test(self, node: Condition, scope: Scope) -> Test:  # noqa: C901  # a case a node
        """Return what tells whether a condition is true of what is looked at."""
        match node:
            case Constant(value):
                return lambda look: value
            case All(of):
                return _all([self.test(child, scope) for child in of])
            case Any(of):
                return _any([self.test(child, scope) for child in of])
            case Not(of):
                test = self.test(of, scope)
                return lambda look: not test(look)
            case Happened(events):
                chosen = self.chosen(events.where)
                return lambda look: bool(chosen(look.case))
            case ItemsMatch():
                return self._items_match(node, scope)
            case Sequence():
                return self._sequence(node)
            case InSegment(segment):
                return lambda look: segment in look.case.segments
            case Related():
                return self._related(node, scope)
            case IsNull(operand, negated):
                is_there = self._is_there(operand, scope)
                return lambda look: is_there(look) == negated
            case Compare():
                return self._compare(node, scope)
            case Text(name, left, right, cased):
                return _passes(
                    self.values(left, scope), text_test(name, right, case_sensitive=cased)
                )
            case In():
                return self._in(node, scope)
            case Sets(name, left, right):
                one, other = self.values(left, scope), self._list(right, scope)
                return lambda look: set_compared(name, one(look), other(look))
            case Occurs():
                return self._occurs(node, scope)
            case _:
                assert_never(node)

    def _compare(self, node: Compare, scope: Scope) -> Test:
        """Return the test of two operands, read as they are compared with each other."""
        compares = comparison(node.operator, case_sensitive=node.case_sensitive)
        kinds = self.kind(node.left, scope), self.kind(node.right, scope)
        left = _alike(self.values(node.left, scope), kinds[0], kinds[1])
        right = _alike(self.values(node.right, scope), kinds[1], kinds[0])

        def test(look: Look) -> bool:
            others = right(look)
            for one in left(look):  # no generator: this is asked of every event
                for other in others:
                    if compares(one, other):
                        return True
            return False

        return test

    def _in(self, node: In, scope: Scope) -> Test:
        single, among = self.single(node.operand, scope), self._list(node.values, scope)
        is_exact = self.kind(node.operand, scope) == "exact"
        cased, negated = node.case_sensitive, node.negated

        def test(look: Look) -> bool:
            value, values = single(look), among(look)
            if value is None or not values:
                return False
            if is_exact:
                values = [to_micro(each) for each in values]
            if not cased:
                value, values = value.lower(), [each.lower() for each in values]
            return (value in values) != negated

        return test

    def _list(self, node: Value | Field, scope: Scope) -> Values:
        if isinstance(node, Field):
            return self.values(node, scope)
        written = node.value if isinstance(node.value, tuple) else (node.value,)
        return lambda look: written

    def _is_there(self, operand: Operand, scope: Scope) -> Test:
        if not isinstance(operand, Field):
            single = self.single(operand, scope)
            return lambda look: single(look) is not None
        bound = bind(operand, scope, self.words)
        if bound is None:
            return lambda look: False
        if bound.known.kind != "object":
            values = self.values(operand, scope)
            return lambda look: bool(values(look))
        if bound.known.array:
            items = items_reader(operand)
            return lambda look: bool(items(look))
        leaves = self.words.leaves(bound.base, bound.path, scope.entity)
        below = len(bound.path) - len(operand.path)
        return _any([self._is_there(Field(leaf[below:], operand.of), scope) for leaf in leaves])

    def _occurs(self, node: Occurs, scope: Scope) -> Test:
        values, window = self.values(node.operand, scope), node.window
        ignore_year = node.ignore_year
        if not (isinstance(window, Distance) and isinstance(window.anchor, Field)):

            def seen(clock: Clock) -> Passes:
                return lying_in(interval(window, clock), clock.zone, ignore_year=ignore_year)

            return lambda look: any(map(look.case.instant.ask(seen), values(look)))
        anchor, distance = self.single(window.anchor, scope), window

        def test(look: Look) -> bool:
            at, zone = anchor(look), look.case.instant.clock.zone
            if at is None:
                return False
            near = distance_from(distance, at, zone)
            return any(map(lying_in(near, zone, ignore_year=ignore_year), values(look)))

        return test

    def _items_match(self, node: ItemsMatch, scope: Scope) -> Test:
        found = self.items(node.array, scope)
        if found is None:
            return lambda look: False
        items, inner = found
        test = self.test(node.where, inner)
        if node.quantifier == "any":
            return lambda look: any(test(item) for item in items(look))

        def is_all(look: Look) -> bool:
            each = items(look)
            return bool(each) and all(test(item) for item in each)

        return is_all

    def _sequence(self, node: Sequence) -> Test:
        chain = unroll(node)
        chosen = {where: self.chosen(where) for where in chain.choices()}

        def test(look: Look) -> bool:
            case = look.case
            return is_complete(chain, lambda where: [event.at for event in chosen[where](case)])

        return test

    def _related(self, node: Related, scope: Scope) -> Test:
        entity = self.words.entity(node.entity)
        keys = raw_reader(node.key)
        if entity is None:
            return lambda look: False
        where, name = self.test(node.where, scope.related(node.entity)), entity.id

        def test(look: Look) -> bool:
            entities = look.case.entities.get(name, {})
            return any(
                where(Look(look.case, look.event, entities[key]))
                for key in keys(look)
                if isinstance(key, str) and key in entities
            )

        return test


def _all(tests: list[Test]) -> Test:
    def test(look: Look) -> bool:
        return all(one(look) for one in tests)

    return test


def _any(tests: list[Test]) -> Test:
    def test(look: Look) -> bool:
        return any(one(look) for one in tests)

    return test


def _alike(values: Values, kind: OperandKind | None, other: OperandKind | None) -> Values:
    """Return what reads values as they are compared with those of another kind."""
    if other == "exact" and kind != "exact":
        return lambda look: [to_micro(value) for value in values(look)]
    if other == "day" and kind == "instant":
        return lambda look: [day_text(at, look.case.instant.clock.zone) for at in values(look)]
    return values


def _passes(values: Values, test: Callable[[Json], bool]) -> Test:
    """Return what tells whether any of some values passes a test."""

    def passes(look: Look) -> bool:
        return any(test(value) for value in values(look))

    return passes
