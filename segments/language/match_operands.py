"""What the operands of a rule are worth: each becomes a function of what is looked at."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any as Json
from typing import assert_never

from segments.language.ast import (
    Aggregate,
    Arithmetic,
    Condition,
    DatePart,
    Events,
    Field,
    FirstNonNull,
    Instant,
    Items,
    Operand,
    Value,
)
from segments.language.choosing import Choice, Test
from segments.language.clock import Clock, span, to_local
from segments.language.exact import calculate, divided, to_micro
from segments.language.facts import Case, Event, Look, looks_at
from segments.language.kinds import OperandKind, kind_of, over_scope
from segments.language.moments import Moment
from segments.language.scopes import Scope, bind
from segments.language.values import TYPED, Values, items_reader, raw_reader, reader
from segments.language.vocabulary import Vocabulary

Single = Callable[[Look], Json]
EVENTS = Scope().events()


class OperandCompiler(ABC):
    """Compiles operands; which events and items count, the conditions decide."""

    def __init__(self, words: Vocabulary) -> None:
        self.words = words
        self._choices: dict[tuple[Condition | None, bool], Choice] = {}

    @abstractmethod
    def test(self, node: Condition, scope: Scope) -> Test:
        """Return what tells whether a condition is true of what is looked at."""

    def kind(self, operand: Operand, scope: Scope) -> OperandKind | None:
        """Return the kind of an operand's value."""
        return kind_of(operand, scope, self.words)

    def values(self, operand: Operand, scope: Scope) -> Values:
        """Return what reads an operand's values: none if missing, several through an array."""
        if isinstance(operand, Field):
            bound = bind(operand, scope, self.words)
            return reader(operand, bound) if bound else _nothing
        if isinstance(operand, Value):
            constant = (operand.value,)
            return lambda look: constant
        single = self.single(operand, scope)

        def read(look: Look) -> Sequence[Json]:
            value = single(look)
            return () if value is None else (value,)

        return read

    def single(self, operand: Operand, scope: Scope) -> Single:
        """Return what reads the one value of an operand, or None."""
        match operand:
            case Field():
                values = self.values(operand, scope)
                return lambda look: next(iter(values(look)), None)
            case Value(value):
                return lambda look: value
            case Instant(moment):
                begins = _beginning(moment)
                return lambda look: look.case.instant.ask(begins)
            case Aggregate():
                return self._aggregate(operand, scope)
            case Arithmetic(operator, left, right):
                return self._calculated(operator, left, right, scope)
            case DatePart():
                return self._part(operand, scope)
            case FirstNonNull(options):
                return self._first(operand, options, scope)
            case _:
                assert_never(operand)

    def chosen(
        self, where: Condition | None, *, ahead: bool = False
    ) -> Callable[[Case], list[Event]]:
        """Return what gives the events of a case that a condition takes; alike for all who ask."""
        key = (where, ahead)
        if key not in self._choices:
            self._choices[key] = Choice(where, lambda part: self.test(part, EVENTS), ahead=ahead)
        choice = self._choices[key]
        return lambda case: case.chosen(choice)

    def items(
        self, array: Field, scope: Scope
    ) -> tuple[Callable[[Look], list[Look]], Scope] | None:
        """Return what looks at each item of an array, and the scope of that; None if unknown."""
        bound = bind(array, scope, self.words)
        if bound is None:
            return None
        items = items_reader(array)
        inner = scope.items(bound)
        return lambda look: [Look(look.case, look.event, item) for item in items(look)], inner

    def micro(self, operand: Operand, scope: Scope) -> Single:
        """Return what reads the one value of an operand in micro-units, or None."""
        single = self.single(operand, scope)
        if self.kind(operand, scope) == "exact":
            return lambda look: None if (value := single(look)) is None else int(value)
        return lambda look: None if (value := single(look)) is None else to_micro(value)

    def _calculated(self, operator: str, left: Operand, right: Operand, scope: Scope) -> Single:
        one, other = self.micro(left, scope), self.micro(right, scope)

        def read(look: Look) -> int | None:
            numbers = one(look), other(look)
            if numbers[0] is None or numbers[1] is None:
                return None
            return calculate(operator, numbers[0], numbers[1])

        return read

    def _first(self, node: FirstNonNull, options: Sequence[Operand], scope: Scope) -> Single:
        kind = self.kind(node, scope)
        if kind == "exact":
            readers = [self.micro(option, scope) for option in options]
        else:
            readers = [self.single(option, scope) for option in options]

        def read(look: Look) -> Json:
            found = next((value for each in readers if (value := each(look)) is not None), None)
            return float(found) if kind == "number" and found is not None else found

        return read

    def _part(self, node: DatePart, scope: Scope) -> Single:
        single, part = self.single(node.of, scope), node.part
        local_part = attrgetter(part)
        digits_of = {"year": slice(4), "month": slice(5, 7), "day": slice(8, 10)}[part]

        def read(look: Look) -> int | None:
            value = single(look)
            if value is None:
                return None
            if isinstance(value, str):  # a date
                digits = value[digits_of]
                return int(digits) if digits.isascii() and digits.isdigit() else None
            return int(local_part(to_local(value, look.case.instant.clock.zone)))

        return read

    def _aggregate(self, node: Aggregate, scope: Scope) -> Single:
        if node.of is None and isinstance(node.over, Events):
            chosen = self.chosen(node.over.where)
            return lambda look: len(chosen(look.case))
        looks = self._looks(node, scope)
        if node.of is None:
            return lambda look: len(looks(look))
        inner = over_scope(node.over, scope, self.words)
        if inner is None:
            return lambda look: _folded(node.function, [], None)
        kind, values = self.kind(node.of, inner), self.values(node.of, inner)

        def read(look: Look) -> Json:
            found = [value for each in looks(look) for value in values(each)]
            return _folded(node.function, found, kind)

        return read

    def _looks(self, node: Aggregate, scope: Scope) -> Callable[[Look], list[Look]]:
        """Return what looks at each of the events or items that an aggregate runs over."""
        over = node.over
        if isinstance(over, Events):
            return self._events(over)
        if over.events is None:
            return self._items(over, scope)
        outer, inner = self._events(over.events), self._items(over, EVENTS)
        return lambda look: [item for event in outer(look) for item in inner(event)]

    def _events(self, events: Events) -> Callable[[Look], list[Look]]:
        chosen = self.chosen(events.where)
        return lambda look: looks_at(look.case, chosen(look.case))

    def _items(self, over: Items, scope: Scope) -> Callable[[Look], list[Look]]:
        bound = bind(over.array, scope, self.words)
        found = self.items(over.array, scope)
        if bound is None or found is None:
            return lambda look: []
        if bound.known.kind != "object":  # a list of plain values: only counted
            raw, typed = raw_reader(over.array), TYPED[bound.known.kind]
            return lambda look: [look for value in raw(look) if typed(value) is not None]
        items, inner = found
        if over.where is None:
            return items
        test = self.test(over.where, inner)
        return lambda look: [each for each in items(look) if test(each)]


def _nothing(look: Look) -> Sequence[Json]:
    return ()


def _beginning(moment: Moment) -> Callable[[Clock], int]:
    return lambda clock: span(moment, clock)[0]


def _folded(function: str, values: list[Json], kind: OperandKind | None) -> Json:
    """Return an aggregate of the values that are there; of none, only sums and counts exist."""
    if function == "count":
        return len(values)
    if function == "distinct":
        return len(set(values))
    if function in ("min", "max"):
        return (min if function == "min" else max)(values, default=None)
    micros = values if kind == "exact" else [to_micro(value) for value in values]
    if function == "sum":
        return sum(micros)
    return divided(sum(micros), len(micros)) if micros else None
