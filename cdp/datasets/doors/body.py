"""Reading a request's body: unpacked, within limits, and JSON that the stores can hold."""

import zlib
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest

from cdp.api.strict_json import read_json
from cdp.errors import Malformed, TooLarge, UnsupportedMedia

MAX_DEPTH: Final = 50
MOST_VALUES: Final = 1_000_000  # each costs many times its bytes once it is read
_GZIP_MAGIC: Final = b"\x1f\x8b"
_PIECE: Final = 65_536
_TYPES: Final = frozenset({"", "application/json", "text/plain"})


def read_body(request: HttpRequest, *, any_type: bool = False) -> tuple[bytes, Any]:
    """Return the body's unpacked bytes and the JSON value in them.

    Packed bodies are known by their first bytes, not by their label: some clients
    send gzip as a form. `any_type` takes every content type, for such clients.

    Raises `UnsupportedMedia`, `TooLarge` or `Malformed`.
    """
    packed = _read(request)
    is_packed = packed.startswith(_GZIP_MAGIC)
    if not any_type:
        _check_type(request)
    body = _unpacked(packed) if is_packed else packed
    if body.count(b",") + body.count(b"{") + body.count(b"[") > MOST_VALUES:
        raise TooLarge(f"A request may hold {MOST_VALUES:,} values. Send fewer records in each.")
    return body, read_json(body, max_depth=MAX_DEPTH)


def _check_type(request: HttpRequest) -> None:
    label = (request.content_type or "").lower()
    if label not in _TYPES and not label.endswith("+json"):
        raise UnsupportedMedia(f"This door reads application/json, not {label}.")


def _read(request: HttpRequest) -> bytes:
    limit = settings.DOOR_MAX_PACKED
    length = request.META.get("CONTENT_LENGTH") or ""
    in_chunks = not length and request.META.get("wsgi.input_terminated")
    source = request.META["wsgi.input"] if in_chunks else request
    if length.isdigit() and int(length) > limit:
        _let_finish(source, limit)
        raise _too_large(limit, "")
    body: bytes = source.read(limit + 1)
    if len(body) > limit:
        _let_finish(source, limit)
        raise _too_large(limit, "")
    return body


def _let_finish(source: Any, most: int) -> None:
    """Throw away the rest of a body, within reason: who still sends does not read the answer."""
    while most > 0 and (piece := source.read(min(_PIECE, most))):
        most -= len(piece)


def _unpacked(packed: bytes) -> bytes:
    limit = settings.DOOR_MAX_UNPACKED
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        body = unpacker.decompress(packed, limit + 1)
    except zlib.error as error:
        raise Malformed("The body begins as gzip but cannot be unpacked.") from error
    if len(body) > limit:
        raise _too_large(limit, " when unpacked")
    if not unpacker.eof:
        raise Malformed("The gzip body ends too early.")
    if unpacker.unused_data:
        raise Malformed("Something follows the gzip body. Send it as one gzip member.")
    return body


def _too_large(limit: int, when: str) -> TooLarge:
    return TooLarge(
        f"A request may be {limit:,} bytes at most{when}. Send fewer records in each.",
        limit=limit,
    )
