"""The bases of every view: who may come in, whose rows are open, and what if it fails.

A request goes: authentication, rate limit, sandbox, scope, permission, handler,
rendering, commit. A refusal anywhere rolls the scope back and becomes a problem document.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar

import structlog
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from cdp.api import idempotency
from cdp.api.parsers import check_length
from cdp.errors import FieldError, Invalid, Malformed
from cdp.tenancy.actors import Actor
from cdp.tenancy.authentication import (
    Caller,
    acting,
    operator_acting,
    organization_of,
    sandbox_named,
)
from cdp.tenancy.errors import Unauthenticated
from cdp.tenancy.models import Organization, Sandbox
from cdp.tenancy.scope import scope

SANDBOX_HEADER = "X-Sandbox-Name"
DEFAULT_SANDBOX = "prod"


class ScopedViewSet(GenericViewSet[Any], ABC):
    """Opens what the caller may see around the handler and the rendering of its answer.

    `permissions` names what each action needs (`"*"` for the others). `max_body` replaces
    the API's limit; 0 leaves it to a handler that reads the stream itself, which also
    switches `Idempotency-Key` off with `keeps_answers`. `ordering` is the order of lists,
    `ordering_fields` the columns, never null, that they may be sorted by instead.
    """

    permissions: ClassVar[Mapping[str, str]]
    max_body: ClassVar[int | None] = None
    keeps_answers: ClassVar[bool] = True
    ordering: ClassVar[str] = "-pk"
    ordering_fields: ClassVar[tuple[str, ...]] = ()
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    action: str | None  # type: ignore[assignment]  # None where the route lacks the method
    actor: Actor

    @abstractmethod
    def opened(self) -> AbstractContextManager[Actor]:
        """Open the scope of this request and yield who acts in it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer a request. Replaces the framework's own, which would render too late."""
        self.args, self.kwargs = args, kwargs
        self.headers: dict[str, str] = {}
        self.request: Request = self.initialize_request(request, *args, **kwargs)
        try:
            self._prepare()
            with self.opened() as self.actor:
                self.check_permissions(self.request)
                response = self._answer()
        except Exception as error:
            response = self._rendered(self.handle_exception(error))
        for name, value in self._common_headers():
            response.headers[name] = value
        return response

    @property
    def caller(self) -> Caller:
        """Who has been authenticated."""
        return self.request.user  # type: ignore[return-value]  # our authenticators give callers

    def _prepare(self) -> None:
        request = self.request
        self.format_kwarg = None
        if (request.method or "").lower() not in self.http_method_names:
            self.action = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(
            request
        )
        request.version = request.versioning_scheme = None
        if request.user is None:
            raise Unauthenticated("Send an access token. Get one at /oauth/token/.")
        self.check_throttles(request)
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise Malformed("The address holds the character NUL.", code="nul_character")
        _refuse_repeated(request)
        if self.max_body != 0:
            check_length(request.META, self.max_body or settings.API_MAX_BODY)

    def _answer(self) -> HttpResponseBase:
        method = (self.request.method or "").lower()
        handler = getattr(self, method) if self.action else self.http_method_not_allowed

        def answer() -> HttpResponseBase:
            return self._rendered(handler(self.request, *self.args, **self.kwargs))

        if method == "post" and self.action and self.keeps_answers:
            return idempotency.once(self, answer)
        return answer()

    def _rendered(self, response: HttpResponseBase) -> HttpResponseBase:
        self.finalize_response(self.request, response, *self.args, **self.kwargs)  # type: ignore[arg-type]
        if isinstance(response, Response):
            response.render()
        return response

    def _common_headers(self) -> Iterator[tuple[str, str]]:
        yield from getattr(self.request, "rate_headers", {}).items()
        if known := request_id():
            yield "X-Request-Id", known


class SandboxViewSet(ScopedViewSet):
    """The base of views on the rows of one sandbox, which `X-Sandbox-Name` names."""

    sandbox: Sandbox

    @contextmanager
    def opened(self) -> Iterator[Actor]:
        name = self.request.headers.get(SANDBOX_HEADER) or DEFAULT_SANDBOX
        self.sandbox = sandbox_named(self.caller, name)
        with acting(self.caller, self.sandbox, request_id()) as actor:
            structlog.contextvars.bind_contextvars(sandbox=self.sandbox.pk, actor=actor.id)
            yield actor

    def streamed(
        self, chunks: Callable[[], Iterable[bytes]], *, content_type: str, filename: str = ""
    ) -> StreamingHttpResponse:
        """Return an answer whose body is made while it is sent, in a scope of its own.

        The request's scope is over by then, so `chunks` reads everything itself.
        """

        def body() -> Iterator[bytes]:
            with scope(self.sandbox, self.actor):
                yield from chunks()

        answer = StreamingHttpResponse(body(), content_type=content_type)
        if filename:
            answer.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
        return answer


class OrganizationViewSet(ScopedViewSet):
    """The base of views on rows that belong to the organization as a whole."""

    organization: Organization

    @contextmanager
    def opened(self) -> Iterator[Actor]:
        self.organization = organization_of(self.caller)
        with acting(self.caller, None, request_id()) as actor:
            structlog.contextvars.bind_contextvars(
                organization=self.organization.pk, actor=actor.id
            )
            yield actor


class OperatorViewSet(ScopedViewSet):
    """The base of views for operators, on the installation itself.

    No organization is open here, so answers are not kept for `Idempotency-Key`.
    """

    keeps_answers = False

    @contextmanager
    def opened(self) -> Iterator[Actor]:
        actor = operator_acting(self.caller, request_id())
        with transaction.atomic():
            structlog.contextvars.bind_contextvars(actor=actor.id)
            yield actor


def request_id() -> str:
    """Return the id that this request has in the logs, in the audit trail and in its answer."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def _refuse_repeated(request: Request) -> None:
    """Refuse a parameter that is given twice: no answer could say which of them counted."""
    repeated = [name for name, values in request.query_params.lists() if len(values) > 1]
    if repeated:
        raise Invalid(
            "A query parameter is given once; see `errors`.",
            errors=[
                FieldError(
                    path=name,
                    code="repeated_parameter",
                    detail=f"'{name}' is given more than once.",
                )
                for name in repeated
            ],
        )
