"""Functions that choose, compare and convert."""

from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from cdp.datasets.mapping.errors import RowInvalid
from cdp.datasets.mapping.functions.registry import (
    function,
    kind_of,
    list_of,
    number_of,
    text_of,
)

logic_function = partial(function, area="logic")
number_function = partial(function, area="number")


@logic_function(
    "iif(condition, yes, no)",
    "Return one of two values.",
    example=('iif(1 < 2, "yes", "no")', "yes"),
    takes_null=True,
)
def iif(condition: Any, yes: Any, no: Any = None) -> Any:
    return yes if condition is True else no


@logic_function(
    "decode(value, key, result, ..., default)",
    "Translate a value by a table; what is not in it gives the default, or null.",
    example=('decode("m", "m", "male", "f", "female", "not_specified")', "male"),
    takes_null=True,
)
def decode(value: Any, *table: Any) -> Any:
    for key, result in zip(table[::2], table[1::2], strict=False):
        if key == value:
            return result
    return table[-1] if len(table) % 2 else None


@number_function("min(a, b, ...)", "Return the least value.", example=("min(3, 1, 2)", 1))
def least(*values: Any) -> Any:
    return _extreme(min, values)


@number_function("max(a, b, ...)", "Return the greatest value.", example=("max(3, 1, 2)", 3))
def greatest(*values: Any) -> Any:
    return _extreme(max, values)


@number_function(
    "round(number, digits)",
    "Round to a number of decimals, halves away from zero.",
    example=("round(2.345, 2)", 2.35),
)
def round_number(value: Any, digits: Any = 0) -> int | float:
    places = int(number_of(digits))
    rounded = _decimal(value).quantize(Decimal(1).scaleb(-places), rounding="ROUND_HALF_UP")
    return int(rounded) if places <= 0 else float(rounded)


@number_function("abs(number)", "Return a number without its sign.", example=("abs(-2)", 2))
def absolute(value: Any) -> int | float:
    return abs(number_of(value))


@number_function("floor(number)", "Cut the decimals off downwards.", example=("floor(2.7)", 2))
def floor(value: Any) -> int:
    return int(_decimal(value).to_integral_value("ROUND_FLOOR"))


@number_function("ceil(number)", "Go up to the next whole number.", example=("ceil(2.1)", 3))
def ceil(value: Any) -> int:
    return int(_decimal(value).to_integral_value("ROUND_CEILING"))


@number_function(
    "to_integer(value)",
    "Read a whole number; decimals are cut off.",
    example=('to_integer("12.7")', 12),
    also=("to_bigint",),
)
def to_integer(value: Any) -> int:
    return int(_decimal(value))


@number_function(
    "to_float(value)", "Read a number.", example=('to_float("12.5")', 12.5), also=("to_decimal",)
)
def to_float(value: Any) -> float:
    return float(number_of(value))


@number_function("to_string(value)", "Write a value as a text.", example=("to_string(1.5)", "1.5"))
def to_string(value: Any) -> str:
    return text_of(value)


@logic_function(
    "to_boolean(value)",
    "Read a truth value from true/false, yes/no, y/n, 1/0.",
    example=('to_boolean("Yes")', True),
)
def to_boolean(value: Any) -> bool:
    text = text_of(value).strip().lower()
    if text in {"true", "yes", "y", "1", "on"}:
        return True
    if text in {"false", "no", "n", "0", "off", ""}:
        return False
    raise RowInvalid(f"'{text[:40]}' is neither true nor false.")


def _extreme(choose: Any, values: tuple[Any, ...]) -> Any:
    items = list_of(values[0]) if len(values) == 1 else list(values)
    try:
        return choose(items) if items else None
    except TypeError as error:
        kinds = " and ".join(sorted({kind_of(item) for item in items}))
        raise RowInvalid(f"{kinds} cannot be compared.") from error


def _decimal(value: Any) -> Decimal:
    try:
        return Decimal(str(number_of(value)))
    except InvalidOperation as error:
        raise RowInvalid(f"{value} is out of range.") from error
