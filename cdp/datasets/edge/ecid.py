"""ECIDs, and the cookie that a browser keeps its own in."""

import base64
import binascii
import hmac
import re
import secrets
from typing import Final

_ECID: Final = re.compile(r"\d{38}")
_HALF: Final = 2**63
_FIRST_FIELD: Final = 0x0A  # a protobuf's field 1, of bytes


def new_ecid() -> str:
    """Make an id of 38 digits: two random numbers of 63 bits."""
    return f"{secrets.randbelow(_HALF):019d}{secrets.randbelow(_HALF):019d}"


def derived_ecid(secret: str, text: str) -> str:
    """Make the id that belongs to a text: the same each time, and nobody else can tell it.

    >>> derived_ecid("s", "a") == derived_ecid("s", "a") != derived_ecid("s", "b")
    True
    """
    digest = hmac.digest(secret.encode(), text.encode(), "sha256")
    halves = (int.from_bytes(digest[start : start + 8]) % _HALF for start in (0, 8))
    return "".join(f"{half:019d}" for half in halves)


def is_ecid(text: object) -> bool:
    """Tell whether a value has the form of an ECID."""
    return isinstance(text, str) and _ECID.fullmatch(text) is not None


def to_cookie(ecid: str) -> str:
    """Write an ECID as the identity cookie's value.

    >>> from_cookie(to_cookie("1" * 38)) == "1" * 38
    True
    """
    message = bytes([_FIRST_FIELD, len(ecid)]) + ecid.encode()
    return base64.urlsafe_b64encode(message).decode().rstrip("=")


def from_cookie(value: str) -> str | None:
    """Read the ECID from an identity cookie; None if it holds none."""
    try:
        message = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(message) < 2 or message[0] != _FIRST_FIELD:
        return None
    ecid = message[2 : 2 + message[1]].decode("ascii", "replace")
    return ecid if is_ecid(ecid) else None
