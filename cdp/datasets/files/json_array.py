"""JSON, one array of records over any number of lines."""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from cdp.datasets.files.json_lines import read_row
from cdp.datasets.files.rows import MOST_ROW_BYTES, FileUnreadable, Rows

_BLOCK: Final = 256 * 1024
# A whole text, a text that the end of the block cuts off, or a bracket.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|(?P<cut>"(?:[^"\\]|\\.)*\\?\Z)|[\[\]{}]', re.DOTALL)
_QUOTE: Final = ord('"')
_OPEN: Final = frozenset(b"[{")


def read(source: BinaryIO) -> Rows:
    """Yield the array's records. Raises `FileUnreadable` if it is not one whole array."""
    for text in _elements(source):
        yield read_row(text)


def _elements(source: BinaryIO) -> Iterator[bytes]:
    """Cut the array into its elements by their brackets alone."""
    buffer = source.read(_BLOCK).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not buffer.startswith(b"["):
        raise FileUnreadable("not_an_array", "The file does not begin with an array.")
    buffer, depth, start, at = buffer[1:], 0, 0, 0
    while True:
        for token in _TOKEN.finditer(buffer, at):
            if token["cut"] is not None:
                at = token.start()  # read again together with the next block
                break
            at, byte = token.end(), buffer[token.start()]
            if byte == _QUOTE:
                continue
            depth += 1 if byte in _OPEN else -1
            if depth == 0:
                yield _element(buffer[start:at])
                start = at
            elif depth < 0:
                _check_end(buffer[start : at - 1], buffer[at:] + source.read(_BLOCK))
                return
        buffer, at, start = buffer[start:], at - start, 0
        if len(buffer) > MOST_ROW_BYTES + _BLOCK:
            raise FileUnreadable("row_too_large", "A row may have 1 MB at most.")
        more = source.read(_BLOCK)
        if not more:
            raise FileUnreadable("cut_off", "The array does not end; the file was cut off.")
        buffer += more


def _element(text: bytes) -> bytes:
    text = text.lstrip(b" \t\r\n,")
    if not text.startswith(b"{"):
        raise FileUnreadable("not_an_object", "The array holds something that is no record.")
    return text


def _check_end(left: bytes, behind: bytes) -> None:
    if left.strip():
        raise FileUnreadable("not_an_object", "The array holds something that is no record.")
    if behind.strip():
        raise FileUnreadable("data_behind_array", "Something follows the array.")
