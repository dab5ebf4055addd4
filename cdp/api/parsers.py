"""Reading request bodies, strictly and with a limit."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from cdp.api.strict_json import read_json
from cdp.errors import Malformed, TooLarge


class StrictJSONParser(BaseParser):
    """Parses `application/json`; see `read_json` for what it refuses."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        view = (parser_context or {}).get("view")
        limit = getattr(view, "max_body", None) or settings.API_MAX_BODY
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise too_large(limit)
        return read_json(body)


def check_length(meta: Mapping[str, Any], limit: int) -> None:
    """Refuse a body by what its headers say, before a byte of it is read.

    Raises `TooLarge`, or `Malformed` for a body of unknown length: a server that
    speaks WSGI hands on no body without a Content-Length.
    """
    length = str(meta.get("CONTENT_LENGTH") or "")
    if not length and "chunked" in str(meta.get("HTTP_TRANSFER_ENCODING", "")).lower():
        raise Malformed("Send the body with a Content-Length.", code="length_required")
    if length.isdigit() and int(length) > limit:
        raise too_large(limit)


def too_large(limit: int) -> TooLarge:
    """Return the refusal of a body of more than `limit` bytes."""
    return TooLarge(
        f"The body is larger than the {limit:,} bytes this route takes. Send it in parts.",
        limit=limit,
    )
