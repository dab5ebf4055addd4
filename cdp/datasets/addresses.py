"""Inlet ids: public addresses that say their sandbox.

A door is called without a credential that would tell the sandbox, and inlets are
rows behind the sandbox's fence. So the id itself carries the sandbox's number after
the usual 30 characters: the door opens that sandbox's scope and looks there.
A forged number finds nothing.
"""

from cdp.tenancy.ids import new_id

PREFIX = "inl"
_PLAIN_LENGTH = 30
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def new_inlet_id(sandbox_id: int) -> str:
    """Make an inlet's id.

    >>> sandbox_of(new_inlet_id(1234))
    1234
    """
    digits = ""
    while sandbox_id:
        sandbox_id, digit = divmod(sandbox_id, 32)
        digits = _DIGITS[digit] + digits
    return new_id(PREFIX) + digits


def sandbox_of(inlet_id: str) -> int | None:
    """Return the sandbox's number, or None if this is no inlet's id.

    >>> sandbox_of("inl_nonsense") is None
    True
    """
    digits = inlet_id[_PLAIN_LENGTH:]
    if not inlet_id.startswith(PREFIX + "_") or not 1 <= len(digits) <= 7:
        return None
    number = 0
    for digit in digits:
        value = _DIGITS.find(digit)
        if value < 0:
            return None
        number = number * 32 + value
    return number if number < 2**31 else None
