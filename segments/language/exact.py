"""Exact numbers: whole millionths, so that ten times 0.10 is 1.

Sums, averages and calculations run in micro-units, in SQL and here alike. One value
counts for at most nine billion thousand (9e12) either way; what a calculation
brings beyond that stays there.
"""

MICRO = 1_000_000
LARGEST = 9_000_000_000_000
LARGEST_MICRO = LARGEST * MICRO


def to_micro(value: float) -> int:
    """Return a number in micro-units.

    >>> to_micro(0.1) * 2500 == to_micro(250)
    True
    """
    if isinstance(value, int):
        return max(-LARGEST, min(value, LARGEST)) * MICRO
    return round(max(-float(LARGEST), min(value, float(LARGEST))) * 1e6)


def calculate(operator: str, left: int, right: int) -> int | None:
    """Return the result of a calculation in micro-units; division by zero has none.

    >>> calculate("/", to_micro(1), to_micro(3))
    333333
    """
    left, right = clamped(left), clamped(right)
    if operator in "/%" and right == 0:
        return None
    match operator:
        case "+":
            result = left + right
        case "-":
            result = left - right
        case "*":
            result = divided(left * right, MICRO)
        case "/":
            result = divided(left * MICRO, right)
        case _:
            result = left - right * divided(left, right)
    return clamped(result)


def divided(left: int, right: int) -> int:
    """Divide whole numbers, cutting towards zero as the event store does."""
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def clamped(value: int) -> int:
    """Return a number of micro-units within what is kept."""
    return max(-LARGEST_MICRO, min(value, LARGEST_MICRO))
