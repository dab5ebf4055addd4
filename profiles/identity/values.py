"""Whether a value can be an identifier, and in which form it is kept."""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Final

from profiles.identity.namespaces import Namespace

LONGEST: Final = 1_024
MOST_BYTES: Final = 2_048
"""What an index of the database holds of a text, with some room for what stands beside it."""

BLOCKED: Final = frozenset(
    {"null", "anonymous", "invalid", "none", "undefined", "nan", "unknown", "n/a", ""}
)
"""What forms and scripts send when they know nobody: linking these would join strangers."""

_ZEROS = re.compile(r"[0\-]+\Z")
_ECID = re.compile(r"[0-9]{38}\Z")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}\Z")
_PHONE_PUNCTUATION = re.compile(r"[\s().\-/\u00a0]+")


class IdentityRefused(ValueError):
    """A value that cannot be an identifier of its namespace.

    `fatal` tells whether the whole record is to be refused; otherwise only the
    identifier is left out and the record goes on with what else it has.
    """

    def __init__(self, code: str, detail: str, *, fatal: bool) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fatal = fatal


def _as_sent(value: str) -> str:
    return value


def _lower(value: str) -> str:
    return value.strip().lower()


def _ecid(value: str) -> str:
    if not _ECID.match(value):
        raise IdentityRefused(
            "ecid_malformed", "An ECID is exactly 38 digits; send it as text.", fatal=True
        )
    return value


def _e164(value: str) -> str:
    digits = _PHONE_PUNCTUATION.sub("", value)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not _E164.match(digits):
        raise IdentityRefused(
            "phone_malformed",
            "A number in E.164 form starts with + and the country, such as +4915112345678.",
            fatal=False,
        )
    return digits


def _sha256(value: str) -> str:
    if _SHA256.match(value):  # the sender has hashed it already
        return value.lower()
    return hashlib.sha256(value.encode()).hexdigest()


def _email_sha256(value: str) -> str:
    return _sha256(_lower(value))


def _e164_sha256(value: str) -> str:
    return _sha256(value.strip()) if _SHA256.match(value.strip()) else _sha256(_e164(value))


NORMALISERS: Final[Mapping[str, Callable[[str], str]]] = {
    "none": _as_sent,
    "ecid": _ecid,
    "lowercase": _lower,
    "e164": _e164,
    "sha256": _sha256,
    "email_sha256": _email_sha256,
    "e164_sha256": _e164_sha256,
}
"""What a namespace may do to its values. Two values of one normal form are one identity."""


def normalise(namespace: Namespace, value: object) -> str:
    """Return the form in which the value is kept, or raise `IdentityRefused`.

    >>> from profiles.identity.namespaces import NamespaceType
    >>> normalise(Namespace("Mail", NamespaceType.EMAIL, normaliser="lowercase"), " Sarah@Luma.COM")
    'sarah@luma.com'
    """
    if not isinstance(value, str):
        raise IdentityRefused(
            "identity_not_text", f"An id of {namespace.code} must be text.", fatal=True
        )
    if len(value) > LONGEST:
        raise IdentityRefused(
            "identity_too_long",
            f"An id of {namespace.code} has at most {LONGEST} characters.",
            fatal=True,
        )
    bare = value.strip().lower()
    if bare in BLOCKED or _ZEROS.match(bare):
        raise IdentityRefused(
            "identity_blocked", f"{value!r} stands for nobody and is not linked.", fatal=False
        )
    kept = NORMALISERS[namespace.normaliser](value)
    if len(kept.encode(errors="surrogatepass")) > MOST_BYTES:
        raise IdentityRefused(
            "identity_too_long",
            f"An id of {namespace.code} has at most {MOST_BYTES} bytes.",
            fatal=True,
        )
    return kept
