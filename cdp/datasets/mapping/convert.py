"""Values as the target field's type, where nothing is lost."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from cdp.datasets.mapping.errors import RowInvalid
from cdp.datasets.mapping.functions.choices import to_boolean
from cdp.datasets.mapping.functions.dates import date_of
from cdp.datasets.mapping.functions.registry import kind_of, number_of, text_of, whole_of
from cdp.schemas.registry.fields import Field

_LEAST: Final = -(2**63)
_MOST: Final = 2**64 - 1


def converted(value: Any, field: Field | None) -> Any:
    """Return the value as the field wants it. Raises `RowInvalid` if it cannot be.

    A number may come as its text and a text as its number; a date in any common
    form. What nobody knows the type of only has its dates written out.
    """
    if value is None:
        return None
    if field is None or field.type == "any":
        return written(value)
    if field.array and not field.in_array:
        items = value if isinstance(value, list) else [value]
        return [_converted(item, field) for item in items if item is not None]
    return _converted(value, field)


def written(value: Any) -> Any:
    """Return a value as JSON holds it: dates as RFC 3339 texts. Raises `RowInvalid`."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return [written(item) for item in value if item is not None]
    if isinstance(value, dict):
        return {key: written(item) for key, item in value.items() if item is not None}
    return _fitting(value)


def rfc3339(moment: datetime) -> str:
    """Write a time with its offset, `Z` for UTC, to the millisecond where it says one."""
    text = moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _converted(value: Any, field: Field) -> Any:
    if value is None:
        return None
    if isinstance(value, list) and field.in_array:
        return [_converted(item, field) for item in value]
    if field.type == "string":
        return _text(value, field.format)
    if field.type in ("object", "map") and not isinstance(value, dict | list):
        raise RowInvalid(f"'{field.path}' is an object, not {kind_of(value)}.")
    return _fitting(_AS_TYPE.get(field.type, written)(value))


def _fitting(value: Any) -> Any:
    """Return a value, unless it is a whole number that no JSON of ours can hold."""
    if isinstance(value, int) and not _LEAST <= value <= _MOST:
        raise RowInvalid("The number does not fit into 64 bits.")
    return value


def _text(value: Any, format: str | None) -> str:
    if format == "date":
        return _date(value)
    if format == "date-time" or isinstance(value, datetime):
        return rfc3339(date_of(value))
    return text_of(value)


def _date(value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return date_of(value).date().isoformat()


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else to_boolean(value)


_AS_TYPE: Final[dict[str, Callable[[Any], Any]]] = {
    "number": number_of,
    "integer": whole_of,
    "boolean": _boolean,
}
