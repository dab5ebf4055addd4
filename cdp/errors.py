"""Refusals: what a service raises when it will not do what it was asked.

Services raise the narrowest class; `cdp.api.errors` is the only translator to HTTP.
"""

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict


class FieldError(TypedDict):
    """One thing that is wrong at one place of the input."""

    path: str
    code: str
    detail: str
    hint: NotRequired[str]
    line: NotRequired[int]
    column: NotRequired[int]
    expected: NotRequired[list[str]]


class DomainError(Exception):
    """A refusal that the caller can act on.

    `code` is for programs and never changes; `detail` is for people and says
    what to do; `errors` points into the input; `extra` joins the problem document.
    """

    code = "refused"
    status = 400
    title = "The request was refused"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        code: str | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)
        self.extra = extra
        if code is not None:
            self.code = code


class Malformed(DomainError):
    """The request cannot be read at all."""

    code, status, title = "malformed", 400, "The request cannot be read"


class Forbidden(DomainError):
    """The caller is known but may not do this."""

    code, status, title = "forbidden", 403, "Not allowed"


class NotFound(DomainError):
    """There is no such object, or none that the caller may know of."""

    code, status, title = "not_found", 404, "Not found"


class Conflict(DomainError):
    """The state of the object, or something that depends on it, stands in the way."""

    code, status, title = "conflict", 409, "In conflict with the present state"


class Stale(DomainError):
    """The object has changed since the caller read it."""

    code, status, title = "stale", 412, "Changed in the meantime"


class TooLarge(DomainError):
    """The request is larger than this door takes."""

    code, status, title = "too_large", 413, "Too large"


class UnsupportedMedia(DomainError):
    """The content type is not one this door reads."""

    code, status, title = "unsupported_media_type", 415, "Unsupported media type"


class Invalid(DomainError):
    """Well-formed, but against a rule that the detail names."""

    code, status, title = "invalid", 422, "Not valid"


class TooMany(DomainError):
    """The caller is over a limit and should come back after `retry_after` seconds."""

    code, status, title = "too_many_requests", 429, "Too many requests"

    def __init__(self, detail: str, *, retry_after: int, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """A store is away for the moment; come back after `retry_after` seconds."""

    code, status, title = "unavailable", 503, "Not available at the moment"

    def __init__(self, detail: str, *, retry_after: int = 5, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.retry_after = retry_after
