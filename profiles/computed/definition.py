"""What a computed attribute is, and what it can be computed of. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final

from cdp.errors import FieldError
from cdp.schemas.registry.fields import Field

ROOT: Final = "SystemComputedAttributes"
MOST_KEPT: Final = 50
LONGEST: Final = timedelta(days=184)


class Function(StrEnum):
    """How many events become one value."""

    SUM = "sum"
    COUNT = "count"
    MIN = "min"
    MAX = "max"
    MOST_RECENT = "most_recent"
    LAST = "last"


class Unit(StrEnum):
    """The unit of a look-back."""

    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


OPERATORS: Final = ("=", "!=", "<", "<=", ">", ">=", "in", "exists")
_LARGEST: Final = 2**63
_NUMBERS: Final = frozenset({"number", "integer"})
# Every event has these as columns, whatever its schema says.
OWN: Final[Mapping[str, Field]] = {
    "eventType": Field("eventType", "string"),
    "timestamp": Field("timestamp", "string", format="date-time"),
    "_id": Field("_id", "string"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A test that an event must pass to count."""

    field: str
    operator: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Computation:
    """One computed attribute: of which events, which of their fields, and how."""

    name: str
    function: Function
    field: str
    conditions: tuple[Condition, ...]
    length: int
    unit: Unit
    keep: int = 1

    @property
    def fields(self) -> list[str]:
        """Every event field that the value depends on."""
        own = [self.field] if self.field else []
        return own + [condition.field for condition in self.conditions]

    def since(self, now: datetime) -> datetime:
        """Return from when on events count."""
        if self.unit is Unit.MONTHS:
            return months_before(now, self.length)
        return now - timedelta(**{self.unit.value: self.length})


def months_before(now: datetime, months: int) -> datetime:
    """Go back whole months; a day that the month does not have becomes its last.

    >>> months_before(datetime(2026, 3, 31), 1)
    datetime.datetime(2026, 2, 28, 0, 0)
    """
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    first = now.replace(year=year, month=month + 1, day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    last = (following - timedelta(days=1)).day
    return first.replace(day=min(now.day, last))


def problems(wanted: Computation, fields: Mapping[str, Field], now: datetime) -> list[FieldError]:
    """Return what speaks against a computation, with the field that was probably meant."""
    found = [
        _error(path, "unknown_field", _unknown(name, fields))
        for path, name in _named(wanted)
        if name not in fields
    ]
    if wanted.since(now) < now - LONGEST:
        found.append(_error("lookback", "too_long", "A look-back is at most six months."))
    if wanted.function is not Function.COUNT and not wanted.field:
        found.append(_error("field", "required", f"Say the field of which {wanted.function} is."))
    if not found:
        found += _type_problems(wanted, fields)
    return found


def result_fields(
    wanted: Computation, fields: Mapping[str, Field], tenant: str
) -> dict[str, Field]:
    """Return the fields of people that a computation makes, with the labels of what it reads."""
    labels = frozenset(
        label for name in wanted.fields if name in fields for label in fields[name].labels
    )
    path = f"_{tenant}.{ROOT}.{wanted.name}"
    if wanted.function is Function.COUNT:
        return {path: Field(path, "integer", labels=labels)}
    if wanted.field not in fields:
        return {}
    source = replace(fields[wanted.field], in_array=(), required=False, labels=labels)
    if wanted.function is Function.SUM:
        return {path: Field(path, "number", labels=labels)}
    if wanted.function is Function.LAST:
        return {path: replace(source, path=path, array=True)}
    if wanted.function is Function.MOST_RECENT:
        many = source.array or bool(fields[wanted.field].in_array)
        value = replace(source, path=f"{path}.value", array=many)
        at = Field(f"{path}.timestamp", "string", format="date-time", labels=labels)
        return {path: Field(path, "object"), value.path: value, at.path: at}
    return {path: replace(source, path=path, array=False)}


def _named(wanted: Computation) -> list[tuple[str, str]]:
    named = [("field", wanted.field)] if wanted.field else []
    return named + [(f"conditions.{n}.field", c.field) for n, c in enumerate(wanted.conditions)]


def _type_problems(wanted: Computation, fields: Mapping[str, Field]) -> list[FieldError]:
    found = []
    source = fields.get(wanted.field)
    if source is not None and not source.is_leaf:
        found.append(_error("field", "not_a_value", f"'{wanted.field}' holds no value of its own."))
    elif source is not None:
        is_time = source.format == "date-time"
        if wanted.function is Function.SUM and source.type not in _NUMBERS:
            found.append(_error("field", "not_a_number", "Only numbers have a sum."))
        if wanted.function in (Function.MIN, Function.MAX) and not (
            source.type in _NUMBERS or is_time
        ):
            detail = "Only numbers and times have a least and a greatest."
            found.append(_error("field", "not_ordered", detail))
        if len(source.in_array) + source.array > 1:
            found.append(_error("field", "too_deep", "Lists within lists cannot be computed of."))
    for place, condition in enumerate(wanted.conditions):
        found += _condition_problems(condition, fields[condition.field], f"conditions.{place}")
    return found


def _condition_problems(condition: Condition, field: Field, path: str) -> list[FieldError]:
    if condition.operator == "exists":
        return []
    values: Sequence[Any] = condition.value if condition.operator == "in" else [condition.value]
    if not isinstance(values, list) or not values:
        return [_error(f"{path}.value", "required", "Give a list of values.")]
    kinds = {
        "number": (int, float),
        "integer": (int, float),
        "boolean": (bool,),
    }.get(field.type, (str,))
    if any(not isinstance(value, kinds) or _is_odd_bool(value, kinds) for value in values):
        detail = f"'{condition.field}' is compared with {field.type} values."
        return [_error(f"{path}.value", "wrong_type", detail)]
    if any(isinstance(value, int | float) and abs(value) >= _LARGEST for value in values):
        detail = "Numbers of 64 bits and more cannot be compared with."
        return [_error(f"{path}.value", "too_large", detail)]
    if field.format == "date-time" and not all(map(_is_moment, values)):
        detail = f"'{condition.field}' is compared with times such as 2026-01-31T12:00:00Z."
        return [_error(f"{path}.value", "wrong_type", detail)]
    if field.type == "boolean" and condition.operator not in ("=", "!="):
        return [_error(f"{path}.operator", "wrong_operator", "True and false are only compared.")]
    return []


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _is_odd_bool(value: Any, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, bool) and bool not in kinds


def _unknown(name: str, fields: Mapping[str, Field]) -> str:
    meant = get_close_matches(name, fields, n=1)
    hint = f" Did you mean '{meant[0]}'?" if meant else ""
    return f"No event schema has a field '{name}'.{hint}"


def _error(path: str, code: str, detail: str) -> FieldError:
    return {"path": path, "code": code, "detail": detail}
