"""A rule read for one profile in hand: the second reader, beside the SQL.

What both agree on: a missing value makes every test false but `is_null`; a field
with many values passes if one of them does; events that lie ahead have not
happened yet.
"""

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
from segments.language.clock import Clock
from segments.language.exact import to_micro
from segments.language.facts import Event, Facts, Here, items_of, raw_values, values_of
from segments.language.match_operands import OperandReader
from segments.language.match_tests import compared, day_text, looked_into, set_compared, within
from segments.language.moments import Distance
from segments.language.scopes import PROFILE, bind
from segments.language.vocabulary import Vocabulary


def matches(rule: Condition, facts: Facts, clock: Clock, words: Vocabulary) -> bool:
    """Return whether a profile satisfies a rule at the clock's instant."""
    return Matcher(facts, clock, words).holds(rule, Here(PROFILE, facts.profile))


def event_matches(
    condition: Condition, event: Event, facts: Facts, clock: Clock, words: Vocabulary
) -> bool:
    """Return whether one event satisfies a condition on events."""
    here = Here(PROFILE, facts.profile).at_event(event)
    return Matcher(facts, clock, words).holds(condition, here)


class Matcher(OperandReader):
    """Reads conditions against the facts of one profile."""

    def holds(self, node: Condition, here: Here) -> bool:  # noqa: C901  # a case a node
        """Return whether a condition is true of what is looked at."""
        match node:
            case Constant(value):
                return value
            case All(of):
                return all(self.holds(child, here) for child in of)
            case Any(of):
                return any(self.holds(child, here) for child in of)
            case Not(of):
                return not self.holds(of, here)
            case Happened(events):
                return any(True for _ in self.chosen(events))
            case ItemsMatch():
                return self._items_match(node, here)
            case Sequence():
                return self._sequence(node)
            case InSegment(segment):
                return segment in self.facts.segments
            case Related():
                return self._related(node, here)
            case IsNull(operand, negated):
                return self._is_there(operand, here) == negated
            case Compare() | Text() | In() | Sets() | Occurs():
                return self._test(node, here)
            case _:
                assert_never(node)

    def _test(self, node: Compare | Text | In | Sets | Occurs, here: Here) -> bool:
        match node:
            case Compare():
                return self._compare(node, here)
            case Text(test, left, right, case_sensitive):
                values = self.values(left, here)
                return any(looked_into(test, value, right, case_sensitive) for value in values)
            case In():
                return self._in(node, here)
            case Sets(test, left, right):
                return set_compared(test, self.values(left, here), self._list(right, here))
            case Occurs():
                return self._occurs(node, here)
            case _:
                assert_never(node)

    def _compare(self, node: Compare, here: Here) -> bool:
        left, right = self._alike(node.left, node.right, here)
        return any(
            compared(node.operator, one, other, node.case_sensitive)
            for one in left
            for other in right
        )

    def _alike(self, left: Operand, right: Operand, here: Here) -> tuple[list[Json], list[Json]]:
        """Return the values of two operands as they are compared with each other."""
        kinds = self.kind(left, here.scope), self.kind(right, here.scope)
        sides = [self.values(left, here), self.values(right, here)]
        for number, kind in enumerate(kinds):
            if "exact" in kinds and kind != "exact":
                sides[number] = [to_micro(value) for value in sides[number]]
            if "day" in kinds and kind == "instant":
                sides[number] = [day_text(value, self.clock.zone) for value in sides[number]]
        return sides[0], sides[1]

    def _in(self, node: In, here: Here) -> bool:
        value = self.single(node.operand, here)
        among = self._list(node.values, here)
        if value is None or not among:
            return False
        if self.kind(node.operand, here.scope) == "exact":
            among = [to_micro(each) for each in among]
        if not node.case_sensitive:
            value, among = value.lower(), [each.lower() for each in among]
        return (value in among) != node.negated

    def _list(self, node: Value | Field, here: Here) -> list[Json]:
        if isinstance(node, Value):
            return list(node.value) if isinstance(node.value, tuple) else [node.value]
        return self.values(node, here)

    def _is_there(self, operand: Operand, here: Here) -> bool:
        if not isinstance(operand, Field):
            return self.single(operand, here) is not None
        bound = bind(operand, here.scope, self.words)
        if bound is None:
            return False
        if bound.known.kind != "object":
            return bool(values_of(bound, operand.path, operand.of, here))
        if bound.known.array:
            return bool(items_of(operand.path, operand.of, here))
        leaves = self.words.leaves(bound.base, bound.path, here.scope.entity)
        below = len(bound.path) - len(operand.path)
        return any(self._is_there(Field(leaf[below:], operand.of), here) for leaf in leaves)

    def _occurs(self, node: Occurs, here: Here) -> bool:
        anchor = node.window.anchor if isinstance(node.window, Distance) else None
        from_when = self.single(anchor, here) if isinstance(anchor, Field) else None
        if isinstance(anchor, Field) and from_when is None:
            return False
        values = self.values(node.operand, here)
        return any(within(value, node, self.clock, from_when) for value in values)

    def _items_match(self, node: ItemsMatch, here: Here) -> bool:
        bound = bind(node.array, here.scope, self.words)
        if bound is None:
            return False
        scope = here.scope.items(bound)
        found = [
            self.holds(node.where, here.at_item(scope, item))
            for item in items_of(node.array.path, node.array.of, here)
        ]
        return any(found) if node.quantifier == "any" else bool(found) and all(found)

    def _sequence(self, node: Sequence) -> bool:
        times: dict[Condition, list[int]] = {}
        root = Here(PROFILE, self.facts.profile)

        def times_of(where: Condition) -> list[int]:
            if where not in times:
                events = self.happened
                times[where] = [e.at for e in events if self.holds(where, root.at_event(e))]
            return times[where]

        return is_complete(unroll(node), times_of)

    def _related(self, node: Related, here: Here) -> bool:
        entity = self.words.entity(node.entity)
        entities = self.facts.entities.get(entity.id, {}) if entity else {}
        scope = here.scope.related(node.entity)
        return any(
            self.holds(node.where, here.at_item(scope, entities[key]))
            for key in raw_values(node.key.path, node.key.of, here)
            if isinstance(key, str) and key in entities
        )
