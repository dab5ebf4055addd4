"""What Django answers where no view does: `handler404` and its like in `cdp.urls`."""

import sys

import structlog
from django.http import HttpRequest, HttpResponse
from django.views import defaults

from cdp.api.errors import as_refusal, problem_page
from cdp.errors import DomainError, Forbidden, Malformed, NotFound

CONSOLE = "/admin/"  # people with a browser; everything else is a program


class Fault(DomainError):
    """Something broke that nobody foresaw; it has been logged."""

    code, status, title = "fault", 500, "A fault of ours"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refused."""
    if request.path.startswith(CONSOLE):
        return defaults.bad_request(request, exception)
    return problem_page(as_refusal(exception) or Malformed("The request cannot be read."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself forbade."""
    if request.path.startswith(CONSOLE):
        return defaults.permission_denied(request, exception)
    return problem_page(Forbidden(str(exception) or "You may not do this."))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address that no route has."""
    if request.path.startswith(CONSOLE):
        return defaults.page_not_found(request, exception)
    return problem_page(NotFound(f"No route leads to {request.path}.", code="no_such_route"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when something broke; a store that is away is no fault of ours."""
    error = sys.exception()
    refusal = as_refusal(error) if isinstance(error, Exception) else None
    if refusal is None and request.path.startswith(CONSOLE):
        return defaults.server_error(request)
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    return problem_page(
        refusal or Fault("Something broke on our side and has been logged.", request_id=request_id)
    )
