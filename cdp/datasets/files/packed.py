"""Taking gzip off a file while it is read, with an eye on bombs."""

import zlib
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO, Final

from cdp.datasets.files.rows import FileUnreadable

_MAGIC: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_OTHER_UNICODE: Final = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
_BLOCK: Final = 256 * 1024
# Honest data packs some thirty times at most; a bomb a thousand times.
_MOST_RATIO: Final = 200
_ALWAYS_FINE: Final = 100 * 1024 * 1024


def unpacked(source: BinaryIO) -> BinaryIO:
    """Return the text without its gzip, or as it is. Raises `FileUnreadable` for a zip or UTF-16."""
    first = source.read(4)
    source.seek(0)
    if first.startswith(_ZIP):
        raise FileUnreadable("zip_file", "Unpack the zip, or send the file with gzip.")
    if first.startswith(_MAGIC):
        text = BufferedReader(_Gunzip(source), _BLOCK)
        first = text.peek(4)[:4]
        source = text
    if first.startswith(_OTHER_UNICODE):
        raise FileUnreadable("wrong_encoding", "The file is in UTF-16 or UTF-32. Save it as UTF-8.")
    return source


class _Gunzip(RawIOBase):
    """A gzip stream, one member behind the other."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._unpacker = self._new()
        self._waiting = b""
        self._read = self._written = 0
        self._has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._next(len(buffer))
        except zlib.error as error:
            raise FileUnreadable("broken_gzip", "The gzip file is damaged.") from error
        self._written += len(data)
        if self._written > max(_ALWAYS_FINE, self._read * _MOST_RATIO):
            raise FileUnreadable("gzip_bomb", f"The file packs more than {_MOST_RATIO} to 1.")
        buffer[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        while not self._has_ended:
            data: bytes = self._unpacker.decompress(self._waiting, size)
            self._waiting = self._unpacker.unconsumed_tail
            if data:
                return data
            if self._unpacker.eof:
                self._waiting = self._unpacker.unused_data.lstrip(b"\0")
                self._unpacker = self._new()
                self._has_ended = not self._waiting and not self._fill()
            elif not self._waiting and not self._fill():
                raise FileUnreadable("cut_off", "The gzip file ends too early.")
        return b""  # also to whoever asks again behind the end

    def _fill(self) -> bool:
        self._waiting = self._source.read(_BLOCK)
        self._read += len(self._waiting)
        return bool(self._waiting)

    def _new(self) -> Any:
        return zlib.decompressobj(zlib.MAX_WBITS | 16)
