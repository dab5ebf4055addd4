"""Date patterns of the kind `yyyy-MM-dd'T'HH:mm:ss`, both ways.

Letters: y year, M month (MMM name), d day, E weekday, H hour 0-23, h hour 1-12,
a am/pm, m minute, s second, S fraction, z/Z/X offset. Quotes take text as it is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final

from cdp.datasets.mapping.errors import RowInvalid

_TOKEN: Final = re.compile(r"'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December",
)  # fmt: skip
_DAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """One run of a letter, or literal text with no letter."""

    letter: str
    text: str

    @property
    def width(self) -> int:
        return len(self.text)


def format_date(moment: datetime, pattern: str) -> str:
    """Write a time. Raises `RowInvalid` for a pattern that means nothing.

    >>> format_date(datetime(2026, 1, 2, 15, 4, 5, tzinfo=UTC), "dd.MM.yyyy h:mm a")
    '02.01.2026 3:04 PM'
    """
    return "".join(
        part.text if not part.letter else _WRITE[part.letter](moment, part.width)
        for part in _parts(pattern)
    )


def parse_date(text: str, pattern: str) -> datetime:
    """Read a time; without an offset it is UTC. Raises `RowInvalid`.

    >>> parse_date("02.01.2026", "dd.MM.yyyy")
    datetime.datetime(2026, 1, 2, 0, 0, tzinfo=datetime.timezone.utc)
    """
    expression, letters = _reader(pattern)
    match = expression.fullmatch(text.strip())
    if match is None:
        raise RowInvalid(f"'{text[:40]}' is not a date of the form '{pattern}'.")
    values = {letter: match.group(index + 1) for index, letter in enumerate(letters)}
    try:
        return _assemble(values)
    except ValueError as error:
        raise RowInvalid(f"'{text[:40]}' is not a date: {error}.") from error


@lru_cache(maxsize=512)
def _parts(pattern: str) -> tuple[_Part, ...]:
    parts = []
    for match in _TOKEN.finditer(pattern):
        text, letter = match.group(0), match.group(1) or ""
        if letter and letter not in _WRITE:
            raise RowInvalid(f"A date pattern has no letter '{letter}'.")
        if text.startswith("'"):
            text = text[1:-1].replace("''", "'") or "'"
        parts.append(_Part(letter, text))
    return tuple(parts)


@lru_cache(maxsize=512)
def _reader(pattern: str) -> tuple[re.Pattern[str], list[str]]:
    parts = _parts(pattern)
    expression = ""
    for part, following in zip(parts, (*parts[1:], _Part("", " ")), strict=True):
        if not part.letter:
            expression += re.escape(part.text)
            continue
        # Numbers that touch each other are told apart by their width alone.
        exact = bool(following.letter)
        expression += f"({_READ[part.letter](part.width, exact)})"
    return re.compile(expression, re.IGNORECASE), [part.letter for part in parts if part.letter]


def _assemble(values: dict[str, str]) -> datetime:
    hour = int(values.get("H") or 0)
    if "h" in values:
        hour = int(values["h"]) % 12 + (12 if values.get("a", "am").lower() == "pm" else 0)
    year = int(values.get("y") or 1970)
    if len(values.get("y", "0000")) == 2:
        year += 2000 if year < 70 else 1900
    fraction = (values.get("S") or "0")[:6].ljust(6, "0")
    zone = next((values[letter] for letter in "zZX" if letter in values), "")
    return datetime(
        year,
        _month(values.get("M") or "1"),
        int(values.get("d") or 1),
        hour,
        int(values.get("m") or 0),
        int(values.get("s") or 0),
        int(fraction),
        tzinfo=_zone(zone),
    )


def _month(text: str) -> int:
    if text.isdigit():
        return int(text)
    return next(
        number for number, name in enumerate(_MONTHS, 1) if name[:3].lower() == text[:3].lower()
    )


def _zone(text: str) -> timezone:
    if not text or text.upper() in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
    return timezone(-offset if text[0] == "-" else offset)


def _offset(moment: datetime, colon: bool, z: bool) -> str:
    offset = moment.utcoffset() or timedelta()
    if z and not offset:
        return "Z"
    sign = "-" if offset < timedelta() else "+"
    hours, minutes = divmod(int(abs(offset).total_seconds()) // 60, 60)
    return f"{sign}{hours:02d}{':' if colon else ''}{minutes:02d}"


def _write_month(moment: datetime, width: int) -> str:
    name = _MONTHS[moment.month - 1]
    return name if width > 3 else name[:3] if width == 3 else f"{moment.month:0{width}d}"


def _write_day(moment: datetime, width: int) -> str:
    name = _DAYS[moment.weekday()]
    return name if width > 3 else name[:3]


def _write_year(moment: datetime, width: int) -> str:
    return f"{moment.year % 100:02d}" if width == 2 else f"{moment.year:0{width}d}"


_WRITE: Final[dict[str, Callable[[datetime, int], str]]] = {
    "y": _write_year,
    "M": _write_month,
    "d": lambda moment, width: f"{moment.day:0{width}d}",
    "E": _write_day,
    "H": lambda moment, width: f"{moment.hour:0{width}d}",
    "h": lambda moment, width: f"{moment.hour % 12 or 12:0{width}d}",
    "a": lambda moment, _: "AM" if moment.hour < 12 else "PM",
    "m": lambda moment, width: f"{moment.minute:0{width}d}",
    "s": lambda moment, width: f"{moment.second:0{width}d}",
    "S": lambda moment, width: f"{moment.microsecond:06d}"[:width].ljust(width, "0"),
    "z": lambda moment, _: moment.tzname() or "UTC",
    "Z": lambda moment, _: _offset(moment, colon=False, z=False),
    "X": lambda moment, width: _offset(moment, colon=width > 2, z=True),
}


def _digits(width: int, exact: bool) -> str:
    return rf"\d{{{width}}}" if exact else rf"\d{{1,{max(width, 2)}}}"


_names = "|".join(f"{name}|{name[:3]}" for name in _MONTHS)
_READ: Final[dict[str, Callable[[int, bool], Any]]] = {
    "y": lambda width, _: r"\d{2}" if width == 2 else r"\d{4}",
    "M": lambda width, exact: _names if width >= 3 else _digits(width, exact),
    "d": _digits,
    "E": lambda *_: "|".join(f"{name}|{name[:3]}" for name in _DAYS),
    "H": _digits,
    "h": _digits,
    "a": lambda *_: "am|pm",
    "m": _digits,
    "s": _digits,
    "S": lambda width, exact: rf"\d{{{width}}}" if exact else r"\d{1,9}",
    "z": lambda *_: r"Z|UTC|GMT|[+-]\d{2}:?\d{2}",
    "Z": lambda *_: r"Z|[+-]\d{2}:?\d{2}",
    "X": lambda *_: r"Z|[+-]\d{2}(?::?\d{2})?",
}
