"""From the columns of the scan to values of attributes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from orjson import loads

from cdp.schemas.registry.fields import Field
from profiles.computed.definition import Computation, Function
from profiles.computed.sql import MICRO, is_time


def values_of(
    computations: Sequence[Computation], columns: Sequence[Any], fields: Mapping[str, Field]
) -> dict[str, Any]:
    """Return the attributes that have a value; one of no events has none."""
    return {
        one.name: value
        for one, column in zip(computations, columns, strict=True)
        if (value := _value(one, column, fields)) is not None
    }


def _value(one: Computation, column: Any, fields: Mapping[str, Field]) -> Any:
    if one.function is Function.COUNT:
        return int(column) or None
    if one.function is Function.SUM:
        millionths, seen = column
        return int(millionths) / MICRO if seen else None
    if one.function is Function.MOST_RECENT:
        text, at = column
        return {"value": loads(text), "timestamp": _moment(at)} if text else None
    if one.function is Function.LAST:
        return list(_flat(loads(text) for _, _, text in column))[: one.keep] or None
    if column is None:
        return None
    return _moment(column) if is_time(fields[one.field]) else column


def _moment(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _flat(values: Iterable[Any]) -> Iterable[Any]:
    """Take lists apart: the last items of events are asked for, not the last lists."""
    for value in values:
        if isinstance(value, list):
            yield from value
        else:
            yield value
