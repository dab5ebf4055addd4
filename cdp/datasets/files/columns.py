"""Arrow columns as JSON values: a column at a time where its type allows, else value by value."""

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from cdp.datasets.mapping.convert import rfc3339

_PLAIN = (str, int, float, bool)


def rows_of(block: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return a block's rows as JSON has them: dates as texts, nulls left out.

    Raises `ValueError` or `ArrowException` for a value that JSON cannot have, or that is broken.
    """
    block.validate(full=True)
    columns = [_values(column) for column in block.columns]
    return _objects(block.schema.names, columns, block.num_rows)


def one_row(block: pa.RecordBatch, place: int) -> dict[str, Any]:
    """Return one row of a block as Arrow has it, for showing it."""
    [row] = block.slice(place, 1).to_pylist(maps_as_pydicts="lossy")
    return {name: value for name, value in row.items() if value is not None}


def _values(column: Any) -> list[Any]:
    """Return a column's values, None where there is none."""
    kind = column.type
    if types.is_dictionary(kind):
        words = _values(column.dictionary)
        return [None if at is None else words[at] for at in _numbers(column.indices)]
    if types.is_string(kind) or types.is_large_string(kind):
        return list(column.to_numpy(zero_copy_only=False))
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind):
        return _numbers(column)
    if types.is_struct(kind):
        names = [field.name for field in kind]
        parts = [_values(part) for part in column.flatten()]
        return _where_valid(column, _objects(names, parts, len(column)))
    if types.is_list(kind) or types.is_large_list(kind):
        return _lists(column)
    return [_json(value) for value in column.to_pylist(maps_as_pydicts="lossy")]


def _numbers(column: Any) -> list[Any]:
    if not column.null_count:
        return list(column.to_numpy(zero_copy_only=False).tolist())
    filled = column.fill_null(False if types.is_boolean(column.type) else 0)
    return _where_valid(column, filled.to_numpy(zero_copy_only=False).tolist())


def _lists(column: Any) -> list[Any]:
    items = _values(column.flatten())
    found: list[Any] = []
    start = 0
    for length in pc.list_value_length(column).to_pylist():
        if length is None:
            found.append(None)
            continue
        found.append([item for item in items[start : start + length] if item is not None])
        start += length
    return found


def _where_valid(column: Any, values: list[Any]) -> list[Any]:
    if not column.null_count:
        return values
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    return [value if ok else None for value, ok in zip(values, valid, strict=True)]


def _objects(names: list[str], columns: Iterable[list[Any]], rows: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{} for _ in range(rows)]
    for name, values in zip(names, columns, strict=True):
        for row, value in zip(found, values, strict=True):
            if value is not None:
                row[name] = value
    return found


def _json(value: Any) -> Any:
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, dict):
        return {str(name): _json(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_json(item) for item in value if item is not None]
    return _written(value)


def _written(value: Any) -> Any:
    match value:
        case datetime():
            # A column without a zone is in UTC, as everywhere here.
            return rfc3339(value) if value.tzinfo else rfc3339(value) + "Z"
        case date() | time():
            return value.isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case bytes():
            return value.decode("utf-8")
    raise ValueError(f"A value of the kind {type(value).__name__} cannot be stored.")
