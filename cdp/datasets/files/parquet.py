"""Parquet, read a block of rows at a time."""

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from cdp.datasets.files.rows import BadRow, FileUnreadable, Row, Rows
from cdp.datasets.mapping.convert import rfc3339

_AT_ONCE: Final = 2_000
_PLAIN: Final = (str, int, float, bool)


def read(source: BinaryIO) -> Rows:
    """Yield rows as JSON has them: dates as texts, nulls left out. Raises `FileUnreadable`."""
    try:
        file = pq.ParquetFile(source)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise FileUnreadable("not_parquet", f"This is no Parquet file: {_said(error)}") from error
    for block in _blocks(file):
        for row in block.to_pylist(maps_as_pydicts="lossy"):
            yield _row(row)


def _blocks(file: Any) -> Iterator[Any]:
    blocks = file.iter_batches(batch_size=_AT_ONCE)
    while True:
        try:
            yield next(blocks)
        except StopIteration:
            return
        except (pa.ArrowException, OSError) as error:
            detail = f"The file is damaged: {_said(error)}"
            raise FileUnreadable("damaged", detail) from error


def _row(row: Row) -> Row | BadRow:
    try:
        return {name: _json(value) for name, value in row.items() if value is not None}
    except ValueError as error:
        shown = {name: str(value)[:200] for name, value in row.items() if value is not None}
        return BadRow(shown, "unsupported_value", str(error))


def _json(value: Any) -> Any:
    if isinstance(value, _PLAIN):
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


def _said(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
