"""The write key that a request carries, in any of the ways that clients send it."""

import base64
import binascii

from django.http import HttpRequest


def key_of(request: HttpRequest) -> str:
    """Return the write key from the Authorization header, or an empty text.

    Trackers send it as the user name of Basic with no password, others as a
    Bearer token.
    """
    scheme, _, value = str(request.META.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[0]
