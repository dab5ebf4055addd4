"""Reading a request's body: unpacked, within limits, and JSON that the stores can hold."""

import zlib
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest

from cdp.api.strict_json import read_json
from cdp.errors import Malformed, TooLarge, UnsupportedMedia

MAX_DEPTH: Final = 50
_GZIP_MAGIC: Final = b"\x1f\x8b"
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
    return body, read_json(body, max_depth=MAX_DEPTH)


def _check_type(request: HttpRequest) -> None:
    label = (request.content_type or "").lower()
    if label not in _TYPES and not label.endswith("+json"):
        raise UnsupportedMedia(f"This door reads application/json, not {label}.")


def _read(request: HttpRequest) -> bytes:
    limit = settings.DOOR_MAX_PACKED
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit, "")
    if not length and request.META.get("wsgi.input_terminated"):
        body: bytes = request.META["wsgi.input"].read(limit + 1)  # sent in chunks
    else:
        body = request.read(limit + 1)
    if len(body) > limit:
        raise _too_large(limit, "")
    return body


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
    return body


def _too_large(limit: int, when: str) -> TooLarge:
    return TooLarge(
        f"A request may be {limit:,} bytes at most{when}. Send fewer records in each.",
        limit=limit,
    )
