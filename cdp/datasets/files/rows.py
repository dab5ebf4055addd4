"""What readers yield."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


class FileUnreadable(ValueError):
    """The file as a whole cannot be read; `code` is for programs."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read; `raw` is what is known of it."""

    raw: Any
    code: str
    detail: str


Row = dict[str, Any]
Rows = Iterator[Row | BadRow]
MOST_ROW_BYTES = 1024 * 1024
