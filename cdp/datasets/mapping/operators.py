"""What the operators mean.

Null in arithmetic gives null. Null equals only null, and is neither less nor greater
than anything. Only true is true.
"""

import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from cdp.datasets.mapping.errors import RowInvalid
from cdp.datasets.mapping.functions.dates import date_of
from cdp.datasets.mapping.functions.registry import bounded, kind_of, number_of, text_of
from cdp.datasets.mapping.functions.texts import pattern

_MOST_DIGITS: Final = 2**63


def add(left: Any, right: Any) -> Any:
    """Add numbers, or join texts."""
    if isinstance(left, str) or isinstance(right, str):
        return bounded(text_of(left) + text_of(right))
    return _calculated(operator.add, left, right)


def divide(left: Any, right: Any) -> Any:
    """Divide; whole numbers that go in evenly stay whole."""
    return _calculated(operator.truediv, left, right)


def remain(left: Any, right: Any) -> Any:
    """Return what is left of a division, with the sign of the first number."""
    return _calculated(lambda a, b: a - b * int(a / b), left, right)


def matches(left: Any, right: Any) -> bool:
    """Tell whether a regular expression is found in a text."""
    return pattern(text_of(right)).search(text_of(left)) is not None


def equal(left: Any, right: Any) -> bool:
    """Tell whether two values are the same; a truth value is no number."""
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, datetime) != isinstance(right, datetime) and left and right:
        return date_of(left) == date_of(right)
    return bool(left == right)


def _calculated(how: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    one, other = number_of(left), number_of(right)
    try:
        result = how(one, other)
    except ZeroDivisionError as error:
        raise RowInvalid("Division by zero.") from error
    except OverflowError as error:
        raise RowInvalid("The number grew too large.") from error
    if isinstance(result, float):
        whole = isinstance(one, int) and isinstance(other, int) and result.is_integer()
        result = int(result) if whole else result
    if abs(result) >= _MOST_DIGITS and isinstance(result, int):
        raise RowInvalid("The number grew too large.")
    if result != result or result in (float("inf"), float("-inf")):
        raise RowInvalid("The number grew too large.")
    return result


def _ordered(how: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        if isinstance(left, datetime) or isinstance(right, datetime):
            left, right = date_of(left), date_of(right)
        try:
            return how(left, right)
        except TypeError as error:
            detail = f"{kind_of(left)} and {kind_of(right)} cannot be compared."
            raise RowInvalid(detail) from error

    return compare


def _nulls_stay(how: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda left, right: None if left is None or right is None else how(left, right)


BINARY: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": _nulls_stay(add),
    "-": _nulls_stay(lambda left, right: _calculated(operator.sub, left, right)),
    "*": _nulls_stay(lambda left, right: _calculated(operator.mul, left, right)),
    "/": _nulls_stay(divide),
    "%": _nulls_stay(remain),
    "~": _nulls_stay(matches),
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
}
