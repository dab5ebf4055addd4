"""The body of a request in pieces, its framing and its compression taken off.

A body that ends too early is a failure and never a short body: half of an insert
must not be taken for all of it.
"""

import zlib
from collections.abc import Callable, Iterator
from email.message import Message
from io import BufferedIOBase
from typing import Any, Protocol

from lz4.frame import LZ4FrameDecompressor

from cdp.clickhouse.gateway.failure import Failure

PIECE_BYTES = 4 * 1024 * 1024


class _Decompressor(Protocol):
    """What unpacks one stream, as zlib and lz4 offer it."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, /) -> bytes: ...


ENCODINGS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
    "deflate": zlib.decompressobj,
    "lz4": LZ4FrameDecompressor,
}


def read_body(file: BufferedIOBase, headers: Message) -> Iterator[bytes]:
    """Yield the body that these headers announce."""
    chunked = headers.get("Transfer-Encoding", "").lower() == "chunked"
    pieces = _chunked(file) if chunked else _measured(file, headers.get("Content-Length", "0"))
    encoding = headers.get("Content-Encoding", "identity")
    if encoding == "identity":
        return pieces
    if encoding not in ENCODINGS:
        known = ", ".join(ENCODINGS)
        raise Failure(36, "BAD_ARGUMENTS", f"Content-Encoding {encoding} is none of {known}")
    return _unpacked(pieces, ENCODINGS[encoding])


def _measured(file: BufferedIOBase, length: str) -> Iterator[bytes]:
    left = _number(length, 10)
    while left:
        piece = _exactly(file, min(left, PIECE_BYTES))
        left -= len(piece)
        yield piece


def _chunked(file: BufferedIOBase) -> Iterator[bytes]:
    while size := _number(file.readline(20).partition(b";")[0], 16):
        yield _exactly(file, size)
        file.readline(4)
    while file.readline(8192).strip():
        pass  # trailers


def _unpacked(pieces: Iterator[bytes], make: Callable[[], _Decompressor]) -> Iterator[bytes]:
    """Unpack streams that follow one another: a client may pack each block for itself."""
    unpack: _Decompressor | None = None
    for piece in pieces:
        rest = piece
        while rest:
            unpack = unpack or make()
            try:
                yield unpack.decompress(rest)
            except (zlib.error, RuntimeError) as error:
                raise Failure(36, "BAD_ARGUMENTS", f"The body is not packed: {error}") from error
            rest = (unpack.unused_data or b"") if unpack.eof else b""
            unpack = None if unpack.eof else unpack
    if unpack:
        raise Failure(210, "NETWORK_ERROR", "The request ended before its body did")


def _number(text: str | bytes, base: int) -> int:
    try:
        return int(text, base)
    except ValueError as error:
        raise Failure(36, "BAD_ARGUMENTS", f"Not the length of a body: {text!r}") from error


def _exactly(file: BufferedIOBase, size: int) -> bytes:
    piece = file.read(size)
    if len(piece) < size:
        raise Failure(210, "NETWORK_ERROR", "The request ended before its body did")
    return piece
