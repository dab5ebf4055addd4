"""JSON, a record a line."""

from typing import BinaryIO

import orjson

from cdp.api.strict_json import check_exact
from cdp.datasets.files.rows import MOST_ROW_BYTES, BadRow, Row, Rows
from cdp.errors import Malformed

_SHOWN = 2_000
_BOM = b"\xef\xbb\xbf"


def read(source: BinaryIO) -> Rows:
    """Yield each line's record; empty lines do not count."""
    first = True
    while line := source.readline(MOST_ROW_BYTES + 1):
        if first:
            line, first = line.removeprefix(_BOM), False
        if len(line) > MOST_ROW_BYTES and not line.endswith(b"\n"):
            _skip_line(source)
            yield BadRow(shown(line), "row_too_large", "A row may have 1 MB at most.")
        elif line.strip():
            yield read_row(line)


def read_row(text: bytes) -> Row | BadRow:
    """Read one record from its JSON."""
    try:
        row = orjson.loads(text)
        check_exact(text, row)
    except orjson.JSONDecodeError as error:
        return BadRow(shown(text), "unparsable_row", f"This is not JSON: {error}.")
    except Malformed as error:
        return BadRow(shown(text), "inexact_row", error.detail)
    if not isinstance(row, dict):
        return BadRow(row, "not_an_object", "A row is a JSON object.")
    return row


def shown(text: bytes) -> str:
    """Return the beginning of a row as it can be shown, whatever is in it."""
    return text[:_SHOWN].decode("utf-8", "backslashreplace").rstrip("\r\n")


def _skip_line(source: BinaryIO) -> None:
    while (rest := source.readline(MOST_ROW_BYTES)) and not rest.endswith(b"\n"):
        pass
