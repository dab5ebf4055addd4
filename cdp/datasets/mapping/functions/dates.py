"""Functions of dates and times. A time without a zone is UTC."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from cdp.datasets.mapping.errors import RowInvalid
from cdp.datasets.mapping.functions.date_patterns import format_date, parse_date
from cdp.datasets.mapping.functions.registry import (
    function,
    kind_of,
    number_of,
    text_of,
    whole_of,
)

date_function = partial(function, area="date")
_COMMON: Final = (
    "yyyy-MM-dd HH:mm:ss", "yyyy/MM/dd", "dd.MM.yyyy", "MM/dd/yyyy", "MM/dd/yyyy HH:mm:ss",
    "dd MMM yyyy", "MMM dd yyyy", "yyyyMMdd",
)  # fmt: skip
_PARTS: Final = {
    "year": "year", "yyyy": "year", "yy": "year", "month": "month", "mm": "month", "m": "month",
    "day": "day", "dd": "day", "d": "day", "hour": "hour", "hh": "hour", "minute": "minute",
    "mi": "minute", "second": "second", "ss": "second",
}  # fmt: skip


def date_of(value: Any) -> datetime:
    """Return a time, from a time, a text in a common form, or milliseconds since 1970."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowInvalid(f"A date is wanted here, not {kind_of(value)}.")
    if not isinstance(value, str):
        return _from_milliseconds(value)
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return _from_common(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@date_function("now()", "Return the time at which the row came in.", takes_now=True)
def now_function(*, now: datetime) -> datetime:
    return now


@date_function(
    "timestamp()", "Return the time at which the row came in, in milliseconds since 1970.",
    takes_now=True,
)  # fmt: skip
def timestamp(*, now: datetime) -> int:
    return int(now.timestamp() * 1000)


@date_function(
    "format(date, pattern)",
    "Write a date by a pattern.",
    example=('format(date("2026-11-20T10:05:00Z"), "dd.MM.yyyy HH:mm")', "20.11.2026 10:05"),
)
def format_function(moment: Any, pattern: str) -> str:
    return format_date(date_of(moment), text_of(pattern))


@date_function(
    "dformat(milliseconds, pattern)",
    "Write a time that is given in milliseconds since 1970.",
    example=('dformat(0, "yyyy-MM-dd")', "1970-01-01"),
)
def dformat(milliseconds: Any, pattern: str) -> str:
    return format_date(_from_milliseconds(number_of(milliseconds)), text_of(pattern))


@date_function(
    "date(text, pattern, default)",
    "Read a date. Without a pattern common forms are understood; a default stands in for what "
    "cannot be read.",
    example=('date("20.11.2026", "dd.MM.yyyy")', datetime(2026, 11, 20, tzinfo=UTC)),
)
def date_function_(text: Any, pattern: str | None = None, default: Any = None) -> datetime:
    try:
        if pattern is None:
            return date_of(text)
        return parse_date(text_of(text), pattern)
    except RowInvalid:
        if default is None:
            raise
        return date_of(default)


@date_function(
    "date_part(part, date)",
    "Return the year, month, day, hour, minute or second of a date.",
    example=('date_part("month", "2026-11-20")', 11),
)
def date_part(part: str, moment: Any) -> int:
    value: int = getattr(date_of(moment), _part(part))
    return value


@date_function(
    "set_date_part(part, value, date)",
    "Change one part of a date.",
    example=('set_date_part("day", 1, "2026-11-20")', datetime(2026, 11, 1, tzinfo=UTC)),
)
def set_date_part(part: str, value: Any, moment: Any) -> datetime:
    changes: dict[str, Any] = {_part(part): whole_of(value)}
    return _valid(lambda: date_of(moment).replace(**changes))


@date_function(
    "make_date_time(year, month, day, hour, minute, second, zone)",
    "Make a time from its parts.",
    example=(
        'make_date_time(2026, 11, 20, 11, 0, 0, "Europe/Berlin")',
        datetime(2026, 11, 20, 10, tzinfo=UTC),
    ),
)
def make_date_time(
    year: Any, month: Any, day: Any, hour: Any = 0, minute: Any = 0, second: Any = 0,
    zone: str = "UTC",
) -> datetime:  # fmt: skip
    parts = [whole_of(part) for part in (year, month, day, hour, minute, second)]
    return _valid(lambda: datetime(*parts, tzinfo=_zone(zone)).astimezone(UTC))  # type: ignore[misc, arg-type]


@date_function(
    "make_timestamp(year, month, day, hour, minute, second, zone)",
    "Make a time from its parts, in milliseconds since 1970.",
    example=("make_timestamp(1970, 1, 1, 0, 0, 1)", 1000),
)
def make_timestamp(*parts: Any) -> int:
    return int(make_date_time(*parts).timestamp() * 1000)


@date_function(
    "zone_date_to_utc(date)",
    "Return a time in UTC.",
    example=(
        'zone_date_to_utc("2026-11-20T11:00:00+01:00")',
        datetime(2026, 11, 20, 10, tzinfo=UTC),
    ),
)
def zone_date_to_utc(moment: Any) -> datetime:
    return date_of(moment).astimezone(UTC)


@date_function(
    "zone_date_to_zone(date, zone)",
    "Return a time as the clocks of a zone show it.",
    example=(
        'format(zone_date_to_zone("2026-11-20T10:00:00Z", "Europe/Berlin"), "HH:mm")',
        "11:00",
    ),
)
def zone_date_to_zone(moment: Any, zone: str) -> datetime:
    return date_of(moment).astimezone(_zone(zone))


def _from_common(text: str) -> datetime:
    for pattern in _COMMON:
        try:
            return parse_date(text, pattern)
        except RowInvalid:
            continue
    raise RowInvalid(f"'{text[:40]}' is not a date; say its form: date(text, \"dd.MM.yyyy\").")


def _from_milliseconds(number: int | float) -> datetime:
    return _valid(lambda: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number))


def _part(name: str) -> str:
    part = _PARTS.get(text_of(name).lower())
    if part is None:
        raise RowInvalid(
            f"A date has no part '{name}'; use year, month, day, hour, minute, second."
        )
    return part


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(text_of(name))
    except (KeyError, ValueError, OSError) as error:
        raise RowInvalid(f"There is no time zone '{name}'.") from error


def _valid(make: Any) -> datetime:
    try:
        moment: datetime = make()
    except (ValueError, OverflowError) as error:
        raise RowInvalid(f"There is no such date: {error}.") from error
    return moment
