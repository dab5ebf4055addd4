"""Functions: names that are called without a dot."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from segments.language.ast import (
    All,
    DatePart,
    FirstNonNull,
    InSegment,
    Instant,
    Not,
    Part,
    Value,
)
from segments.language.ast import Any as AnyOf
from segments.language.moments import Anchor
from segments.language.text.methods import written_text
from segments.language.text.names import LookUp, Names
from segments.language.text.times import read_date, read_moment_text

if TYPE_CHECKING:
    from segments.language.text.resolver import Resolver

CURRENT: dict[str, Part] = {
    "currentYear": "year",
    "currentMonth": "month",
    "currentDayOfMonth": "day",
}


def read(resolver: "Resolver", tree: Any, names: Names) -> Any:
    """Return what a function call means."""
    name, *arguments = tree.children
    known = [*_FUNCTIONS, *CURRENT]
    if name in CURRENT:
        _expect(resolver, tree, arguments, 0)
        return DatePart(CURRENT[name], Instant(Anchor("now")))
    if name not in _FUNCTIONS:
        raise resolver.unknown(tree, "function", str(name), known)
    return _FUNCTIONS[name](resolver, tree, arguments, names)


def _date(resolver: "Resolver", tree: Any, arguments: Any, names: Names) -> Instant:
    _expect(resolver, tree, arguments, 3)
    parts = [resolver.thing(argument, names) for argument in arguments]
    if not all(isinstance(part, Value) and isinstance(part.value, int) for part in parts):
        raise resolver.refusal(tree, "bad_time", "date takes year, month and day as whole numbers.")
    try:
        return Instant(read_date(*(part.value for part in parts)))
    except ValueError as error:
        raise resolver.refusal(tree, "bad_time", "There is no such day.") from error


def _timestamp(resolver: "Resolver", tree: Any, arguments: Any, names: Names) -> Instant:
    _expect(resolver, tree, arguments, 1)
    text = written_text(resolver, arguments[0], names)
    try:
        return Instant(read_moment_text(text))
    except ValueError as error:
        told = "A timestamp is written 2026-01-31T12:00:00Z."
        raise resolver.refusal(tree, "bad_time", told) from error


def _in_segment(resolver: "Resolver", tree: Any, arguments: Any, names: Names) -> InSegment:
    _expect(resolver, tree, arguments, 1)
    return InSegment(written_text(resolver, arguments[0], names))


def _lookup(resolver: "Resolver", tree: Any, arguments: Any, names: Names) -> LookUp:
    _expect(resolver, tree, arguments, 2)
    key = resolver.field(arguments[0], names)
    return LookUp(key, written_text(resolver, arguments[1], names))


def _first_non_null(resolver: "Resolver", tree: Any, arguments: Any, names: Names) -> FirstNonNull:
    if not 2 <= len(arguments) <= 20:
        raise resolver.refusal(tree, "arguments", "firstNonNull takes two to twenty values.")
    return FirstNonNull(tuple(resolver.operand(argument, names) for argument in arguments))


def _if(resolver: "Resolver", tree: Any, arguments: Any, names: Names) -> AnyOf:
    _expect(resolver, tree, arguments, 3)
    asked, then, otherwise = (resolver.condition(argument, names) for argument in arguments)
    return AnyOf((All((asked, then)), All((Not(asked), otherwise))))


def _not(resolver: "Resolver", tree: Any, arguments: Any, names: Names) -> Not:
    _expect(resolver, tree, arguments, 1)
    return Not(resolver.condition(arguments[0], names))


def _expect(resolver: "Resolver", tree: Any, arguments: Any, count: int) -> None:
    if len(arguments) != count:
        raise resolver.refusal(
            tree, "arguments", f"{tree.children[0]} takes {count} values, not {len(arguments)}."
        )


_FUNCTIONS: dict[str, Callable[["Resolver", Any, Any, Names], Any]] = {
    "date": _date,
    "timestamp": _timestamp,
    "inSegment": _in_segment,
    "lookup": _lookup,
    "firstNonNull": _first_non_null,
    "if": _if,
}
