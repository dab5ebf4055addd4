"""CSV with a dialect. Every value is a text; the header names the fields by their paths."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any, BinaryIO, Final, Self

from cdp.datasets.files.rows import MOST_ROW_BYTES, BadRow, FileUnreadable, Row, Rows

MOST_FIELDS: Final = 10_000
CHARSETS: Final = {"UTF-8": "utf-8-sig", "US-ASCII": "ascii", "ISO-8859-1": "latin-1"}
csv.field_size_limit(MOST_ROW_BYTES)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file writes its values. An empty `header` means: the first line names the fields."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    null_marker: str = ""
    header: tuple[str, ...] = ()
    charset: str = "UTF-8"


class RowTooLarge(csv.Error):
    """A row has more characters than a row may have."""


class Lines:
    """Lines of a text for `csv.reader`, never more than a row may have for one row.

    What is left of a line that is too long is passed over.
    """

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self._left = MOST_ROW_BYTES

    def begin_row(self) -> None:
        """Forget what the row before has taken."""
        self._left = MOST_ROW_BYTES

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        if not line:
            raise StopIteration
        self._left -= len(line)
        if self._left < 0:
            while line and not line.endswith(("\n", "\r")):
                line = self._text.readline(MOST_ROW_BYTES)
            raise RowTooLarge("a row may have 1 MB at most")
        return line


def read(source: BinaryIO, dialect: Dialect) -> Rows:
    """Yield each line as a row of texts, null where the value equals the null marker.

    Raises `FileUnreadable` if no header can be read.
    """
    # What is no character of the charset is kept visible, so that only its row is bad.
    text = TextIOWrapper(source, CHARSETS[dialect.charset], errors="surrogateescape", newline="")
    given = Lines(text)
    lines = csv.reader(
        given,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        escapechar=dialect.escape or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        strict=True,
    )
    names = dialect.header or _header(lines)
    for values in _lines(lines, given):
        if isinstance(values, BadRow):
            yield values
        elif values:
            yield _row(names, values, dialect.null_marker)


def _header(lines: Any) -> tuple[str, ...]:
    try:
        names = tuple(name.strip() for name in next(lines))
    except StopIteration as error:
        raise FileUnreadable("empty_file", "The file is empty.") from error
    except csv.Error as error:
        raise FileUnreadable("header_unreadable", f"The header cannot be read: {error}.") from error
    if not any(names):
        raise FileUnreadable("empty_header", "The header names no field.")
    if len(names) > MOST_FIELDS:
        raise FileUnreadable("too_many_fields", f"A row has {MOST_FIELDS:,} fields at most.")
    twice = (
        {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else {}
    )
    if twice:
        raise FileUnreadable("header_repeats", f"The header names '{min(twice)}' twice.")
    return names


def _lines(lines: Any, given: Lines) -> Iterator[list[str] | BadRow]:
    while True:
        given.begin_row()
        try:
            yield next(lines)
        except StopIteration:
            return
        except RowTooLarge:
            yield BadRow("", "row_too_large", "A row may have 1 MB at most.")
        except csv.Error as error:
            detail = f"Line {lines.line_num} cannot be read: {error}."
            yield BadRow("", "unparsable_row", detail)


def _row(names: tuple[str, ...], values: list[str], null_marker: str) -> Row | BadRow:
    shown = dict(zip(names, values, strict=False))
    if len(values) != len(names):
        detail = f"The row has {len(values)} values, the header {len(names)} names."
        return BadRow(_printable(shown), "wrong_column_count", detail)
    if any(
        "\udc80" <= char <= "\udcff" for value in values if not value.isascii() for char in value
    ):
        detail = "A value is not written in the charset that the batch declares."
        return BadRow(_printable(shown), "wrong_encoding", detail)
    return {name: None if value == null_marker else value for name, value in shown.items() if name}


def _printable(row: dict[str, str]) -> dict[str, str]:
    return {
        name.encode("utf-8", "backslashreplace").decode(): value.encode(
            "utf-8", "backslashreplace"
        ).decode()
        for name, value in row.items()
    }
