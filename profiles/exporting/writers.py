"""Writing the rows of an export into a file of one form, some at a time."""

import csv
import gzip
import io
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq
from orjson import OPT_APPEND_NEWLINE, OPT_UTC_Z, dumps

from cdp.datasets.files.cells import cell
from profiles.enums import Compression, ExportFormat, ExportPart
from profiles.exporting.columns import Column
from profiles.exporting.rows import Row

_JSON: Final = OPT_UTC_Z
_ROW_GROUP: Final = 10_000
_LARGEST: Final = 2**63
_ARROW: Final = {
    "string": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "json": pa.string(),
}


class Writer(ABC):
    """Takes rows and writes them on."""

    @abstractmethod
    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""

    @abstractmethod
    def close(self) -> None:
        """Write what is left; the file is whole then."""


@contextmanager
def writing(
    target: BinaryIO, form: str, compression: str, columns: Sequence[Column], parts: Sequence[str]
) -> Iterator[Writer]:
    """Open a writer of a form on an open file."""
    with ExitStack() as stack:
        if form == ExportFormat.PARQUET:
            writer: Writer = _Parquet(target, compression, columns, parts)
        else:
            if compression == Compression.GZIP:
                packed = gzip.GzipFile("", "wb", 6, target, mtime=0)
                target = stack.enter_context(packed)  # type: ignore[assignment]  # it is one
            kind = _Csv if form == ExportFormat.CSV else _JsonLines
            writer = kind(target, columns, parts)
        yield writer
        writer.close()


class _JsonLines(Writer):
    """One JSON object a line, attributes as they are nested."""

    def __init__(self, target: BinaryIO, columns: Sequence[Column], parts: Sequence[str]) -> None:
        self._target, self._columns, self._parts = target, columns, parts

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            line: dict[str, Any] = {"id": row.id, "created_at": row.created_at}
            if ExportPart.ATTRIBUTES in self._parts:
                line["attributes"] = row.attributes
            if ExportPart.IDENTITIES in self._parts:
                line["identities"] = row.identities
            if ExportPart.SEGMENTS in self._parts:
                line["segments"] = row.segments
            if ExportPart.EVENTS in self._parts:
                line["events"] = list(row.events)
            self._target.write(dumps(line, option=_JSON | OPT_APPEND_NEWLINE))

    def close(self) -> None:
        self._target.flush()


class _Table(Writer):
    """What CSV and Parquet have in common: columns."""

    def __init__(self, columns: Sequence[Column], parts: Sequence[str]) -> None:
        self._columns = columns if ExportPart.ATTRIBUTES in parts else []
        self._rest = [
            part for part in (ExportPart.IDENTITIES, ExportPart.SEGMENTS) if part in parts
        ]

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return ["id", "created_at", *(one.path for one in self._columns), *self._rest]

    def values(self, row: Row) -> list[Any]:
        """Return a row's values: objects and lists as JSON."""
        return [
            row.id,
            row.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            *(_value(one, row) for one in self._columns),
            *(_json(getattr(row, part)) for part in self._rest),
        ]


class _Csv(_Table):
    """RFC 4180, with a header; no text can start a formula in a spreadsheet."""

    def __init__(self, target: BinaryIO, columns: Sequence[Column], parts: Sequence[str]) -> None:
        super().__init__(columns, parts)
        self._text = io.TextIOWrapper(target, "utf-8", newline="", write_through=False)
        self._rows = csv.writer(self._text)
        self._rows.writerow(self.names)

    def write(self, rows: Sequence[Row]) -> None:
        self._rows.writerows([cell(value) for value in self.values(row)] for row in rows)

    def close(self) -> None:
        self._text.flush()
        self._text.detach()


class _Parquet(_Table):
    """Columns of their own types; what a schema calls a number and is none is left empty."""

    def __init__(
        self, target: BinaryIO, compression: str, columns: Sequence[Column], parts: Sequence[str]
    ) -> None:
        super().__init__(columns, parts)
        kinds = [
            "string",
            "string",
            *(one.kind for one in self._columns),
            *("json",) * len(self._rest),
        ]
        self._schema = pa.schema(
            [(name, _ARROW[kind]) for name, kind in zip(self.names, kinds, strict=True)]
        )
        packed = "gzip" if compression == Compression.GZIP else "none"
        self._file = pq.ParquetWriter(target, self._schema, compression=packed)
        self._waiting: list[list[Any]] = []

    def write(self, rows: Sequence[Row]) -> None:
        self._waiting += map(self.values, rows)
        if len(self._waiting) >= _ROW_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        arrays = [
            pa.array([row[place] for row in waiting], type=field.type)
            for place, field in enumerate(self._schema)
        ]
        self._file.write_table(pa.Table.from_arrays(arrays, schema=self._schema))


def _value(column: Column, row: Row) -> Any:
    value = column.value(row.attributes)
    if value is None:
        return None
    match column.kind:
        case "json":
            return _json(value)
        case "string":
            return value if isinstance(value, str) else _json(value)
        case "boolean":
            return value if isinstance(value, bool) else None
        case "integer":
            return int(value) if _is_number(value) and abs(value) < _LARGEST else None
    return float(value) if _is_number(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _json(value: Any) -> str:
    return dumps(value, option=_JSON).decode()
