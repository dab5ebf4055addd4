"""Reading a batch's files, judging each row, and putting good and bad apart."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cdp.datasets.enums import FileFormat
from cdp.datasets.examine import examine
from cdp.datasets.files.formats import read_rows
from cdp.datasets.files.rows import BadRow, FileUnreadable, Row
from cdp.datasets.files.storage import Folder, Pieces
from cdp.datasets.mapping.errors import RowInvalid
from cdp.datasets.mapping.expression import compile_expression
from cdp.datasets.records import Arrival, DatasetFacts, Received, Rejection
from cdp.datasets.staging.chunks import ChunkWriter
from cdp.datasets.staging.diagnostics import Diagnostics
from cdp.datasets.staging.senders import sender_of
from cdp.datasets.staging.transforms import ByColumnPaths, Transform, as_it_is
from cdp.errors import FieldError

_PROGRESS_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read: its name for people, and the pieces that it lies in."""

    name: str
    pieces: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Work:
    """Everything that staging must know of a batch; without a dataset, `transform` judges."""

    batch_id: str
    dataset: DatasetFacts | None
    files: list[SourceFile]
    input_format: str
    format_options: dict[str, Any]
    keep_bad_rows: bool
    source: Folder
    target: Folder
    now: datetime
    transform: Transform | None = None
    row_filter: str = ""


@dataclass(slots=True)
class Staged:
    """What came out: chunks of good rows, and the bad ones counted."""

    rows: int = 0
    bad_rows: int = 0
    chunk_sizes: list[int] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    unreadable: str = ""

    def is_good_enough(self, partial_percent: float | None) -> bool:
        """Tell whether the batch may be stored, with so many bad rows in a hundred allowed."""
        if self.unreadable:
            return False
        if partial_percent is None:
            return self.bad_rows == 0
        return self.bad_rows * 100 <= partial_percent * max(self.rows, 1)


def stage(work: Work, *, progress: Callable[[], None]) -> Staged:
    """Judge every row. `progress` is called every few thousand rows."""
    staged = Staged()
    writer = ChunkWriter(work.target)
    with Diagnostics(work.target, keep_rows=work.keep_bad_rows) as diagnostics:
        try:
            for number, file in enumerate(work.files):
                _stage_file(work, number, file, writer, diagnostics, staged, progress)
        except FileUnreadable as error:
            staged.unreadable = error.detail
            staged.errors = [{"code": error.code, "count": 1, "example": error.detail}]
        writer.close()
        staged.bad_rows = diagnostics.rows
        staged.errors += diagnostics.summary()
    staged.chunk_sizes = writer.sizes
    return staged


def _stage_file(
    work: Work,
    number: int,
    file: SourceFile,
    writer: ChunkWriter,
    diagnostics: Diagnostics,
    staged: Staged,
    progress: Callable[[], None],
) -> None:
    arrival = Arrival(
        receipt_id=f"{work.batch_id}-{number}",
        form="chunk",
        inlet_id="",
        received_at=work.now,
        dataset_id=work.dataset.id if work.dataset else "",
        batch_id=work.batch_id,
    )
    transform = work.transform or _transform_of(work)
    wanted, key_of = _wanted_by(work), sender_of(work.dataset)
    with Pieces.buffered(work.source, file.pieces) as source:
        rows: Iterable[Row | BadRow] = read_rows(source, work.input_format, work.format_options)
        for row_number, row in enumerate(rows):
            if not isinstance(row, BadRow) and not wanted(row):
                continue
            staged.rows += 1
            judged = _judge(work, arrival, row_number, row, transform)
            if isinstance(judged, dict):
                writer.add(judged, key_of(judged))
            else:
                raw = row.raw if isinstance(row, BadRow) else row
                diagnostics.add(file.name, row_number, raw, judged)
            if staged.rows % _PROGRESS_ROWS == 0:
                progress()


def _judge(
    work: Work, arrival: Arrival, number: int, row: Row | BadRow, transform: Transform
) -> dict[str, Any] | list[FieldError]:
    """Return the record to store, or everything that is wrong with the row."""
    if isinstance(row, BadRow):
        return [FieldError(path="", code=row.code, detail=row.detail)]
    record, errors = transform(row)
    if errors or work.dataset is None:
        return errors or record
    judged = examine(Received(arrival, number, record, work.dataset.id), work.dataset, now=work.now)
    return list(judged.errors) if isinstance(judged, Rejection) else judged.record


def _wanted_by(work: Work) -> Callable[[Row], bool]:
    """Return what tells the rows that are wanted; a row it cannot be asked of is wanted."""
    if not work.row_filter:
        return lambda row: True
    expression = compile_expression(work.row_filter)

    def is_wanted(row: Row) -> bool:
        try:
            return expression.evaluate(row, now=work.now) is True
        except RowInvalid:
            return True  # so that it is judged, and its owner hears of it

    return is_wanted


def _transform_of(work: Work) -> Transform:
    if work.input_format == FileFormat.CSV and work.dataset is not None:
        return ByColumnPaths(work.dataset.schema)
    return as_it_is
