"""What the operands of a rule are worth for one profile in hand."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
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
from segments.language.clock import Clock, span, to_local
from segments.language.exact import calculate, divided, to_micro
from segments.language.facts import Facts, Here, items_of, raw_values, typed, values_of
from segments.language.kinds import OperandKind, kind_of, over_scope
from segments.language.scopes import Scope, bind
from segments.language.vocabulary import Vocabulary


class OperandReader(ABC):
    """Reads operands; which events and items count, the conditions decide."""

    def __init__(self, facts: Facts, clock: Clock, words: Vocabulary) -> None:
        self.facts = facts
        self.clock = clock
        self.words = words
        # What lies ahead has not happened yet.
        self.happened = sorted(
            (event for event in facts.events if event.at <= clock.now), key=lambda event: event.at
        )

    @abstractmethod
    def holds(self, node: Condition, here: Here) -> bool:
        """Return whether a condition is true of what is looked at."""

    def kind(self, operand: Operand, scope: Scope) -> OperandKind | None:
        """Return the kind of an operand's value."""
        return kind_of(operand, scope, self.words)

    def values(self, operand: Operand, here: Here) -> list[Json]:
        """Return an operand's values here: none if missing, several through an array."""
        if isinstance(operand, Field):
            bound = bind(operand, here.scope, self.words)
            return values_of(bound, operand.path, operand.of, here) if bound else []
        value = self._value(operand, here)
        return [] if value is None else [value]

    def single(self, operand: Operand, here: Here) -> Json:
        """Return the one value of an operand, or None."""
        return next(iter(self.values(operand, here)), None)

    def chosen(self, events: Events) -> Iterator[Here]:
        """Yield the events that a choice of events takes."""
        root = Here(Scope(), self.facts.profile)
        for event in self.happened:
            here = root.at_event(event)
            if events.where is None or self.holds(events.where, here):
                yield here

    def _value(self, operand: Operand, here: Here) -> Json:
        match operand:
            case Field():
                return self.single(operand, here)
            case Value(value):
                return value
            case Instant(moment):
                return span(moment, self.clock)[0]
            case Aggregate():
                return self._aggregate(operand, here)
            case Arithmetic(operator, left, right):
                numbers = [self._micro(side, here) for side in (left, right)]
                if numbers[0] is None or numbers[1] is None:
                    return None
                return calculate(operator, numbers[0], numbers[1])
            case DatePart():
                return self._part(operand, here)
            case FirstNonNull(options):
                return self._first(operand, options, here)
            case _:
                assert_never(operand)

    def _micro(self, operand: Operand, here: Here) -> int | None:
        value = self.single(operand, here)
        if value is None:
            return None
        is_exact = self.kind(operand, here.scope) == "exact"
        return int(value) if is_exact else to_micro(value)

    def _first(self, node: FirstNonNull, options: tuple[Operand, ...], here: Here) -> Json:
        kind = self.kind(node, here.scope)
        for option in options:
            value = self.single(option, here)
            if value is not None:
                if kind == "exact":
                    return self._micro(option, here)
                return float(value) if kind == "number" else value
        return None

    def _part(self, node: DatePart, here: Here) -> int | None:
        value = self.single(node.of, here)
        if value is None:
            return None
        if isinstance(value, str):  # a date
            digits = {"year": value[:4], "month": value[5:7], "day": value[8:10]}[node.part]
            return int(digits) if digits.isascii() and digits.isdigit() else None
        local = to_local(value, self.clock.zone)
        return {"year": local.year, "month": local.month, "day": local.day}[node.part]

    def _aggregate(self, node: Aggregate, here: Here) -> Json:
        frames = list(self._frames(node, here))
        if node.of is None:
            return len(frames)
        inner = over_scope(node.over, here.scope, self.words)
        kind = kind_of(node.of, inner, self.words) if inner else None
        values = [value for frame in frames for value in self.values(node.of, frame)]
        return _folded(node.function, values, kind)

    def _frames(self, node: Aggregate, here: Here) -> Iterator[Here]:
        over = node.over
        if isinstance(over, Events):
            yield from self.chosen(over)
            return
        for outer in self.chosen(over.events) if over.events else [here]:
            yield from self._items(over, outer)

    def _items(self, over: Items, here: Here) -> Iterator[Here]:
        bound = bind(over.array, here.scope, self.words)
        if bound is None:
            return
        if bound.known.kind != "object":  # a list of plain values: only counted
            for value in raw_values(over.array.path, over.array.of, here):
                if typed(value, bound.known.kind) is not None:
                    yield here
            return
        scope = here.scope.items(bound)
        for item in items_of(over.array.path, over.array.of, here):
            frame = here.at_item(scope, item)
            if over.where is None or self.holds(over.where, frame):
                yield frame


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
