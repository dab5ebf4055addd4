"""The public form of a profile's number."""

from typing import Final

PREFIX: Final = "prf_"
_LARGEST: Final = 2**63 - 1


def profile_key(number: int) -> str:
    """Return the id as the API shows it.

    >>> profile_key(12)
    'prf_12'
    """
    return f"{PREFIX}{number}"


def parse_profile_key(text: str) -> int | None:
    """Return the number of a public id, or None if it can be nobody's.

    >>> parse_profile_key("prf_12"), parse_profile_key("12"), parse_profile_key("prf_x")
    (12, None, None)
    """
    digits = text.removeprefix(PREFIX)
    if digits == text or not (digits.isascii() and digits.isdecimal()):
        return None
    number = int(digits) if len(digits) < 20 else 0
    return number if 0 < number <= _LARGEST else None
