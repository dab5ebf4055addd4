"""Parquet, read a block of rows at a time."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from cdp.datasets.files.columns import one_row, rows_of
from cdp.datasets.files.csv_rows import MOST_FIELDS
from cdp.datasets.files.rows import BadRow, FileUnreadable, Row, Rows

_AT_ONCE: Final = 2_000
_BUFFER: Final = 1024 * 1024
# Honest rows take more than a bit each; a file that claims more is made to keep us busy.
_MOST_ROWS_A_BYTE: Final = 100
_ALWAYS_FINE: Final = 1_000_000
_UNSTORABLE: Final = (ValueError, ArithmeticError, pa.ArrowException)
_BROKEN: Final = (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError)


def read(source: BinaryIO) -> Rows:
    """Yield rows as JSON has them: dates as texts, nulls left out. Raises `FileUnreadable`."""
    for block in _blocks(_opened(source)):
        try:
            yield from rows_of(block)
        except _UNSTORABLE:
            # Something in the block cannot be stored: find out in which rows.
            yield from (_row(block, place) for place in range(block.num_rows))


def _opened(source: BinaryIO) -> Any:
    try:
        schema = pq.read_schema(source)
        source.seek(0)
        # Texts stay in their dictionaries: a long one that fills a column is then held once.
        file = pq.ParquetFile(source, buffer_size=_BUFFER, read_dictionary=_texts(schema))
    except _BROKEN as error:
        raise FileUnreadable("not_parquet", f"This is no Parquet file: {_said(error)}") from error
    if len(schema.names) > MOST_FIELDS:
        raise FileUnreadable("too_many_fields", f"A row has {MOST_FIELDS:,} fields at most.")
    if len(set(schema.names)) < len(schema.names):
        raise FileUnreadable("header_repeats", "The file has two columns of one name.")
    source.seek(0, 2)  # files of SFTP do not return the place
    rows, size = file.metadata.num_rows, source.tell()
    if not 0 <= rows <= max(_ALWAYS_FINE, size * _MOST_ROWS_A_BYTE):
        detail = f"The file claims {rows:,} rows in {size:,} bytes."
        raise FileUnreadable("claims_too_much", detail)
    return file


def _texts(schema: pa.Schema) -> list[str]:
    """Name the columns that are texts. Those within others stay as they are."""
    return [field.name for field in schema if pa.types.is_string(field.type)]


def _blocks(file: Any) -> Iterator[Any]:
    blocks = file.iter_batches(batch_size=_AT_ONCE)
    while True:
        try:
            yield next(blocks)
        except StopIteration:
            return
        except _BROKEN as error:
            detail = f"The file is damaged: {_said(error)}"
            raise FileUnreadable("damaged", detail) from error


def _row(block: pa.RecordBatch, place: int) -> Row | BadRow:
    try:
        return rows_of(block.slice(place, 1))[0]
    except _UNSTORABLE as error:
        try:
            shown = {name: str(value)[:200] for name, value in one_row(block, place).items()}
        except _UNSTORABLE:
            shown = {}
        return BadRow(shown, "unsupported_value", str(error))


def _said(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
