"""Operands as SQL, wherever they stand."""

from abc import ABC, abstractmethod
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
    Part,
    Value,
)
from segments.language.clock import Clock, span, to_local
from segments.language.exact import to_micro
from segments.language.kinds import kind_of
from segments.language.scopes import Bound, bind
from segments.language.sql.expressions import (
    Sql,
    as_micro,
    calculated,
    exact,
    micro_of,
    number,
    present,
)
from segments.language.sql.frames import Frame, ItemFrame
from segments.language.sql.parameters import Parameters
from segments.language.vocabulary import Vocabulary

PART_OF_TIME: dict[Part, str] = {"year": "toYear", "month": "toMonth", "day": "toDayOfMonth"}
PART_OF_DAY: dict[Part, tuple[int, int]] = {"year": (1, 4), "month": (6, 2), "day": (9, 2)}


class ValueWriter(ABC):
    """Writes operands; conditions inside of them are written by the subclass."""

    def __init__(self, words: Vocabulary, clock: Clock, parameters: Parameters) -> None:
        self.words = words
        self.clock = clock
        self.parameters = parameters
        self.levels = 0

    @abstractmethod
    def condition(self, node: Condition, frame: Frame) -> str:
        """Return a condition as SQL that is 0 or 1."""

    @abstractmethod
    def over_events(self, node: Aggregate, frame: Frame) -> Sql:
        """Return an aggregate over events of the profile."""

    def value(self, node: Operand, frame: Frame) -> Sql:
        """Return an operand as SQL."""
        match node:
            case Field():
                return self.field(node, frame)
            case Value(value):
                return self.literal(value)
            case Instant(moment):
                return Sql(str(span(moment, self.clock)[0]), "instant", nullable=False)
            case Aggregate():
                over = node.over
                if isinstance(over, Events) or over.events is not None:
                    return self.over_events(node, frame)
                return self._over_items(node, over, frame)
            case Arithmetic(operator, left, right):
                sides = [self.value(side, frame) for side in (left, right)]
                text = calculated(operator, as_micro(sides[0]), as_micro(sides[1]))
                return Sql(text, "exact", operator in "/%" or any(side.nullable for side in sides))
            case DatePart(part, of):
                return self._part(part, of, frame)
            case FirstNonNull(options):
                return self._first(node, options, frame)
            case _:
                assert_never(node)

    def field(self, node: Field, frame: Frame) -> Sql:
        """Return a field as SQL."""
        home, bound = self.bound(node, frame)
        return home.read(bound)

    def bound(self, node: Field, frame: Frame) -> tuple[Frame, Bound]:
        """Return where a field is read, and as what."""
        bound = bind(node, frame.scope, self.words)
        if bound is None:
            raise LookupError(f"No field {node.path!r}: the rule was not checked.")
        return (frame if node.of == "item" else frame.root(bound.base)), bound

    def literal(self, value: object) -> Sql:
        """Return a written value as SQL."""
        if isinstance(value, bool):
            return Sql("true" if value else "false", "boolean", nullable=False)
        if isinstance(value, str):
            return Sql(self.parameters.text(value), "text", nullable=False)
        if isinstance(value, int):
            return Sql(number(value), "integer", nullable=False)
        if isinstance(value, float):
            return Sql(number(value), "number", nullable=False)
        raise TypeError("A list is no single value: the rule was not checked.")

    def micro(self, node: Operand, frame: Frame) -> Sql:
        """Return a number in micro-units as SQL."""
        if isinstance(node, Value) and isinstance(node.value, int | float):
            return Sql(exact(to_micro(node.value)), "exact", nullable=False)
        return micro_of(self.value(node, frame))

    def item_frame(self, array: Field, frame: Frame) -> ItemFrame:
        """Return a new frame for the items of an array."""
        home, bound = self.bound(array, frame)
        self.levels += 1
        return ItemFrame(home, bound, self.levels)

    def chosen_values(self, node: Aggregate, over: Items, frame: Frame) -> str:
        """Return the array of what an aggregate measures: a value of each chosen item that has one."""
        home, bound = self.bound(over.array, frame)
        if bound.known.kind != "object":
            return present(home.read(bound).text)
        items = self.item_frame(over.array, frame)
        where = None if over.where is None else self.condition(over.where, items)
        if node.of is None:
            return f"arrayFilter(c -> c, {items.over('arrayMap', where or '1')})"
        value = self.measured(node, items)
        if value.depth:
            text = value.text if where is None else f"if({where}, {value.text}, [])"
            return present(f"arrayFlatten({items.over('arrayMap', text)})")
        text = value.text if where is None else f"if({where}, {value.text}, NULL)"
        return present(items.over("arrayMap", f"toNullable({text})"))

    def measured(self, node: Aggregate, frame: Frame) -> Sql:
        """Return the value that an aggregate runs over, summed in micro-units."""
        if node.of is None:
            raise TypeError("Nothing is measured: the rule was not checked.")
        value = self.value(node.of, frame).flat()
        return micro_of(value) if node.function in ("sum", "average") else value

    def _over_items(self, node: Aggregate, over: Items, frame: Frame) -> Sql:
        values = self.chosen_values(node, over, frame)
        kind = kind_of(node, frame.scope, self.words) or "number"
        match node.function:
            case "count":
                return Sql(f"length({values})", kind, nullable=False)
            case "distinct":
                return Sql(f"length(arrayDistinct({values}))", kind, nullable=False)
            case "sum":
                return Sql(total(values), kind, nullable=False)
            case "average":
                text = f"intDivOrZero({total(values)}, toInt128(length({values})))"
            case _:
                text = f"array{node.function.title()}({assumed(values)})"
        return Sql(f"if(empty({values}), NULL, {text})", kind)

    def _part(self, part: Part, of: Operand, frame: Frame) -> Sql:
        if isinstance(of, Instant):
            local = to_local(span(of.moment, self.clock)[0], self.clock.zone)
            told = {"year": local.year, "month": local.month, "day": local.day}[part]
            return Sql(number(told), "integer", nullable=False)
        value = self.value(of, frame)
        if value.kind == "day":
            start, length = PART_OF_DAY[part]
            text = f"toInt64(toUInt16OrNull(substring({value.text}, {start}, {length})))"
            return Sql(text, "integer")
        text = f"toInt64({PART_OF_TIME[part]}({self.local(value.text)}))"
        return Sql(text, "integer", value.nullable)

    def local(self, milliseconds: str) -> str:
        """Return a time on the wall clock of the sandbox's zone."""
        zone = self.parameters.text(str(self.clock.zone.key))
        return f"fromUnixTimestamp64Milli({milliseconds}, {zone})"

    def _first(self, node: FirstNonNull, options: tuple[Operand, ...], frame: Frame) -> Sql:
        kind = kind_of(node, frame.scope, self.words) or "text"
        if kind == "exact":
            values = [self.micro(option, frame) for option in options]
        else:
            values = [self.value(option, frame) for option in options]
        texts = [f"toFloat64({v.text})" if kind == "number" else v.text for v in values]
        nullable = all(value.nullable for value in values)
        return Sql(f"coalesce({', '.join(texts)})", kind, nullable)


def total(values: str) -> str:
    """Return the sum of an array of micro-units without overflow."""
    return f"arraySum(s -> toInt128(s), {assumed(values)})"


def assumed(values: str) -> str:
    """Return an array whose NULLs are gone as one that has no NULLs by its type."""
    return f"arrayMap(n -> assumeNotNull(n), {values})"
