"""What kind of value an operand has, and which kinds go together."""

from typing import Literal, assert_never

from segments.language.ast import (
    Aggregate,
    Arithmetic,
    DatePart,
    Field,
    FirstNonNull,
    Instant,
    Items,
    Operand,
    Value,
)
from segments.language.scopes import Bound, Scope, bind
from segments.language.vocabulary import Kind, Vocabulary

# `exact` is a whole number of micro-units; `instant` is a moment written into the rule.
OperandKind = Kind | Literal["exact", "instant"]

NUMERIC: frozenset[OperandKind] = frozenset({"number", "integer", "exact"})
DATED: frozenset[OperandKind] = frozenset({"time", "day", "instant"})


def kind_of(operand: Operand, scope: Scope, vocabulary: Vocabulary) -> OperandKind | None:
    """Return the kind of an operand's value, or None if it names something unknown."""
    match operand:
        case Field():
            bound = bind(operand, scope, vocabulary)
            return bound.known.kind if bound else None
        case Value(value):
            return _literal_kind(value)
        case Instant():
            return "instant"
        case Aggregate(function, over, of):
            if function in ("count", "distinct"):
                return "integer"
            if function in ("sum", "average"):
                return "exact"
            inner = over_scope(over, scope, vocabulary)
            return kind_of(of, inner, vocabulary) if of and inner else None
        case Arithmetic():
            return "exact"
        case DatePart():
            return "integer"
        case FirstNonNull(options):
            kinds = {kind_of(option, scope, vocabulary) for option in options}
            return _common(kinds)
        case _:
            assert_never(operand)


def over_scope(over: object, scope: Scope, vocabulary: Vocabulary) -> Scope | None:
    """Return the scope of one of the events or items that an aggregate runs over."""
    if not isinstance(over, Items):
        return scope.events()
    outer = scope.events() if over.events else scope
    array = bind(over.array, outer, vocabulary)
    return outer.items(array) if array else None


def depth_of(operand: Operand, scope: Scope, vocabulary: Vocabulary) -> int:
    """Return how many arrays lie between the scope and the value: 0 is one value."""
    bound = bind(operand, scope, vocabulary) if isinstance(operand, Field) else None
    return bound.depth if bound else 0


def are_comparable(left: OperandKind, right: OperandKind) -> bool:
    """Return whether values of two kinds can be compared.

    >>> are_comparable("integer", "exact"), are_comparable("day", "time")
    (True, False)
    """
    if left in NUMERIC:
        return right in NUMERIC
    if "instant" in (left, right):
        return left in DATED and right in DATED and left != right
    return left == right and left != "object"


def is_list(bound: Bound) -> bool:
    """Return whether a field is a list of plain values."""
    return bound.known.array and bound.known.kind != "object"


def _literal_kind(value: object) -> OperandKind | None:
    if isinstance(value, tuple):
        kinds = {_literal_kind(item) for item in value}
        return _common(kinds)
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "number" if isinstance(value, float) else "text"


def _common(kinds: set[OperandKind | None]) -> OperandKind | None:
    if len(kinds) == 1:
        return kinds.pop()
    if kinds <= NUMERIC:
        return "exact" if "exact" in kinds else "number"
    return None
