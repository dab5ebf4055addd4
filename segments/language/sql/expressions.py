"""Pieces of SQL that carry what is known of their value."""

from dataclasses import dataclass, replace

from segments.language.exact import LARGEST, LARGEST_MICRO, MICRO
from segments.language.kinds import OperandKind

MOST, LEAST = f"toInt128({LARGEST_MICRO})", f"toInt128(-{LARGEST_MICRO})"
MAX_INT64 = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Sql:
    """An expression: its kind, whether it may be NULL, and how many arrays deep it is."""

    text: str
    kind: OperandKind
    nullable: bool = True
    depth: int = 0

    def flat(self) -> "Sql":
        """Return an array of plain values, whatever the depth was."""
        return replace(self, text=f"arrayFlatten({self.text})", depth=1) if self.depth > 1 else self


def or_false(text: str, *, nullable: bool) -> str:
    """Return a test that is false where a value is missing."""
    return f"ifNull({text}, 0)" if nullable else f"({text})"


def present(array: str) -> str:
    """Return the values of an array that are there."""
    return f"arrayFilter(x -> isNotNull(x), {array})"


def number(value: float) -> str:
    """Return a number as a literal.

    >>> number(-3), number(0.5)
    ('-3', '0.5')
    """
    return repr(value)


def exact(value: int) -> str:
    """Return micro-units as a literal of their own width."""
    return f"toInt128({value})" if abs(value) <= MAX_INT64 else f"toInt128('{value}')"


def as_micro(value: Sql) -> str:
    """Return a number in micro-units; the same as `exact.to_micro`."""
    if value.kind == "exact":
        return value.text
    if value.kind == "integer":
        held = f"clamp(toInt64({value.text}), -{LARGEST}, {LARGEST})"
        return f"toInt128({held} * {MICRO})"
    held = f"clamp({value.text}, -{LARGEST}., {LARGEST}.)"
    return f"toInt128(toInt64(round({held} * 1e6)))"


def micro_of(value: Sql) -> Sql:
    """Return a value, or an array of them, in micro-units."""
    if not value.depth:
        return Sql(as_micro(value), "exact", value.nullable)
    inner = as_micro(Sql("m", value.kind))
    return Sql(f"arrayMap(m -> {inner}, {value.flat().text})", "exact", nullable=True, depth=1)


def calculated(operator: str, left: str, right: str) -> str:
    """Return a calculation in micro-units; the same as `exact.calculate`."""
    left, right = clamped(left), clamped(right)
    if operator in "+-":
        return clamped(f"({left} {operator} {right})")
    if operator == "*":
        return clamped(f"intDivOrZero({left} * {right}, toInt128({MICRO}))")
    quotient = f"intDivOrZero({left} * toInt128({MICRO}), {right})"
    if operator == "%":
        quotient = f"{left} - {right} * intDivOrZero({left}, {right})"
    return clamped(f"if({right} = 0, NULL, {quotient})")


def clamped(text: str) -> str:
    """Return micro-units within what is kept."""
    return f"clamp({text}, {LEAST}, {MOST})"  # unlike least and greatest, it keeps NULL


def lower(value: Sql) -> Sql:
    """Return a text, or an array of them, in lower case."""
    if not value.depth:
        return Sql(f"lowerUTF8({value.text})", value.kind, value.nullable)
    return Sql(f"arrayMap(l -> lowerUTF8(l), {value.flat().text})", value.kind, True, 1)


def as_floats(value: Sql, among: Sql) -> tuple[str, str]:
    """Return a value and an array of it that `has` can compare."""
    if value.kind == among.kind:
        return value.text, among.text
    return f"toFloat64({value.text})", f"arrayMap(f -> toFloat64(f), {among.text})"


def as_float_arrays(one: Sql, other: Sql) -> tuple[str, str]:
    """Return two arrays that can be compared with each other."""
    if one.kind in ("text", "day", "boolean"):
        return one.text, other.text
    return f"arrayMap(f -> toFloat64(f), {one.text})", f"arrayMap(f -> toFloat64(f), {other.text})"
