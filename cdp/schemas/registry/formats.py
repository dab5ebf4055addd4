"""The formats a schema may use, and what each of them means.

The list is fixed, because engines read other formats each in their own way:

- `date-time`: RFC 3339 with 'T' and an offset ('Z' or '+02:00'), years 1 to 9999,
  without leap seconds, which neither the event store nor Python can hold
- `date`: `2026-02-28`, `time`: `08:30:00Z`, with the same limits
- `email`, `uri`, `uri-reference`, `ipv4`, `ipv6`, `uuid`: as their RFCs say
"""

import re
from collections.abc import Callable
from datetime import date, datetime

FORMATS = (
    "date",
    "date-time",
    "email",
    "ipv4",
    "ipv6",
    "time",
    "uri",
    "uri-reference",
    "uuid",
)

_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"\d\d:\d\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"
_IS_DATE = re.compile(_DATE, re.ASCII).fullmatch
_IS_DATE_TIME = re.compile(f"{_DATE}T{_TIME}", re.ASCII).fullmatch
_IS_TIME = re.compile(_TIME, re.ASCII).fullmatch


def is_date(text: str) -> bool:
    """Tell whether the text is a calendar day.

    >>> is_date("2024-02-29"), is_date("2023-02-29"), is_date("20240229")
    (True, False, False)
    """
    return _IS_DATE(text) is not None and _parses(date.fromisoformat, text)


def is_date_time(text: str) -> bool:
    """Tell whether the text is a moment with its offset.

    >>> is_date_time("2026-03-29T12:30:00.250+02:00"), is_date_time("2026-03-29 12:30:00")
    (True, False)
    """
    return _IS_DATE_TIME(text) is not None and _parses(datetime.fromisoformat, text)


def is_time(text: str) -> bool:
    """Tell whether the text is a time of day with its offset."""
    return _IS_TIME(text) is not None and _parses(datetime.fromisoformat, f"2000-01-01T{text}")


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


# What the validator does not already read as the list above says it.
OWN_CHECKS: dict[str, Callable[[str], bool]] = {
    "date": is_date,
    "date-time": is_date_time,
    "time": is_time,
}
