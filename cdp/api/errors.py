"""The only translator from refusals and faults to problem documents (RFC 9457)."""

from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from django.core import exceptions as django_errors
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse, UnreadablePostError
from rest_framework import exceptions as drf_errors
from rest_framework.response import Response

from cdp.api.renderers import write_json
from cdp.errors import (
    Conflict,
    DomainError,
    FieldError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    TooLarge,
    TooMany,
    Unavailable,
    UnsupportedMedia,
)
from cdp.tenancy.errors import Unauthenticated

PROBLEM = "application/problem+json"
RETRY_SECONDS = 2

log = structlog.get_logger(__name__)


class MethodUnknown(DomainError):
    """The route is there, but does not take this method."""

    code, status, title = "method_not_allowed", 405, "Method not allowed"


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the answer to an error, or None for one that nobody foresaw.

    The REST framework calls it for every exception that leaves a view.
    """
    refusal = as_refusal(error)
    if refusal is None:
        return None
    if refusal.status >= 500:
        log.error("request_refused", code=refusal.code, exc_info=error)
    headers = _headers(refusal)
    if isinstance(error, drf_errors.MethodNotAllowed) and (view := context.get("view")):
        headers["Allow"] = ", ".join(view.allowed_methods)
    return Response(problem(refusal), status=refusal.status, headers=headers, content_type=PROBLEM)


def problem_page(refusal: DomainError) -> HttpResponse:
    """Return the answer to a refusal where no view of the REST framework is at work."""
    return HttpResponse(
        write_json(problem(refusal)),
        status=refusal.status,
        headers=_headers(refusal),
        content_type=PROBLEM,
    )


def problem(refusal: DomainError) -> dict[str, Any]:
    """Return the problem document of a refusal."""
    return {
        "type": f"urn:cdp:problem:{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail,
        "errors": refusal.errors,
        **refusal.extra,
    }


def as_refusal(error: Exception) -> DomainError | None:
    """Return what an error means to a client, or None if it is a fault of ours."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, drf_errors.APIException):
        return _of_rest_framework(error)
    if isinstance(error, OperationalError | InterfaceError | IntegrityError | DataError):
        return _of_database(error)
    return _of_django(error)


def _of_rest_framework(error: drf_errors.APIException) -> DomainError | None:
    text = str(error.detail)
    match error:
        case drf_errors.ValidationError():
            return Invalid(
                "Some values are not valid; see `errors`.", errors=list(_flat(error.detail))
            )
        case drf_errors.NotAuthenticated() | drf_errors.AuthenticationFailed():
            return Unauthenticated(text)
        case drf_errors.PermissionDenied():
            return Forbidden(text)
        case drf_errors.NotFound():
            return NotFound(text)
        case drf_errors.MethodNotAllowed():
            return MethodUnknown(text)
        case drf_errors.UnsupportedMediaType():
            return UnsupportedMedia(f"{text} Send application/json.")
        case drf_errors.Throttled():
            return TooMany(text, retry_after=int(getattr(error, "wait", None) or 1))
        case drf_errors.ParseError():
            return Malformed(text)
    return None


def _of_django(error: Exception) -> DomainError | None:
    match error:
        case Http404():
            return NotFound(str(error) or "There is nothing here.")
        case django_errors.RequestDataTooBig():
            return TooLarge("The body is larger than this installation takes.")
        case django_errors.PermissionDenied():
            return Forbidden(str(error) or "You may not do this.")
        case django_errors.SuspiciousOperation():
            return Malformed(str(error))
        case UnreadablePostError():
            return Malformed("The connection ended before the whole body was here.")
    return None


def _of_database(error: Exception) -> DomainError | None:
    state = getattr(error.__cause__, "pgcode", None) or ""
    match error:
        case OperationalError() | InterfaceError():
            return Unavailable(
                "The database is away or busy. Nothing was changed; send the request again.",
                retry_after=RETRY_SECONDS,
            )
        case DataError():
            log.warning("value_outside_store", exc_info=error)
            return Invalid("A value is outside of what can be stored.")
        case IntegrityError() if state in {"23503", "23505", "23P01"}:  # foreign key, unique, range
            log.warning("race_lost", exc_info=error)
            return Conflict(
                "Something that this depends on changed at the same moment. Read it again, "
                "then repeat the request."
            )
    return None


def _flat(detail: Any, path: str = "") -> Iterator[FieldError]:
    """Yield the REST framework's nested messages as one flat list with dotted paths."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            inner = path if key == "non_field_errors" else _join(path, key)
            yield from _flat(value, inner)
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            is_message = isinstance(value, str)
            yield from _flat(value, path if is_message else _join(path, index))
    else:
        yield FieldError(path=path, code=getattr(detail, "code", "invalid"), detail=str(detail))


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _headers(refusal: DomainError) -> dict[str, str]:
    headers = {}
    if (seconds := getattr(refusal, "retry_after", None)) is not None:
        headers["Retry-After"] = str(max(1, seconds))
    if refusal.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return headers
