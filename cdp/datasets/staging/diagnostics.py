"""What was wrong with a batch's rows: counts always, the rows themselves if wanted."""

from collections import Counter
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Final, Self

import orjson

from cdp.datasets.files.storage import Folder
from cdp.datasets.seeing import RefusedRecords
from cdp.errors import FieldError

MOST_KEPT: Final = 100_000
_MOST_CODES: Final = 50
_NAME: Final = "errors.jsonl"
_BLOCK: Final = 256 * 1024
_LINE: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS


class Diagnostics:
    """Counts bad rows by what is wrong with them, and writes them down."""

    def __init__(self, folder: Folder, *, keep_rows: bool) -> None:
        self._keep_rows = keep_rows
        self._writing = folder.writing(_NAME)
        self._codes: Counter[str] = Counter()
        self._details: dict[str, str] = {}
        self.rows = 0

    def __enter__(self) -> Self:
        self._file = self._writing.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writing.__exit__(kind, error, trace)

    def add(self, file: str, number: int, row: Any, errors: Sequence[FieldError]) -> None:
        """Note one bad row."""
        self.rows += 1
        for error in errors:
            self._codes[error["code"]] += 1
            self._details.setdefault(error["code"], f"{error['path']}: {error['detail']}"[:500])
        if self._keep_rows and self.rows <= MOST_KEPT:
            line = {"file": file, "row": number, "errors": errors, "record": row}
            self._file.write(orjson.dumps(line, option=_LINE))

    def summary(self) -> list[dict[str, Any]]:
        """Return the counts by code, the most frequent first, each with an example."""
        return [
            {"code": code, "count": count, "example": self._details[code].removeprefix(": ")}
            for code, count in self._codes.most_common(_MOST_CODES)
        ]


def kept_rows(folder: Folder, dataset_id: str, refused: RefusedRecords) -> Iterator[bytes]:
    """Yield the bad rows that were kept, as JSON lines, as far as they may be seen."""
    if not folder.exists(_NAME):
        return
    with folder.reading(_NAME) as file:
        if refused.sees_all_of(dataset_id):
            while block := file.read(_BLOCK):
                yield block
        for line in file:
            yield _seen(line, dataset_id, refused)


def _seen(line: bytes, dataset_id: str, refused: RefusedRecords) -> bytes:
    row = orjson.loads(line)
    row["errors"] = refused.errors(dataset_id, row["errors"])
    row["record"] = refused.record(dataset_id, row["record"])
    return orjson.dumps(row, option=_LINE)
