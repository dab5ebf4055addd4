"""Who calls: the REST framework's view of `cdp.tenancy.authentication`."""

from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from cdp.tenancy.authentication import Caller, caller_of_operator, caller_of_token
from cdp.tenancy.errors import Unauthenticated
from cdp.tenancy.models import Operator

ORGANIZATION_HEADER = "X-Organization"


class BearerAuthentication(BaseAuthentication):
    """Takes the access token of an OAuth2 client."""

    def authenticate(self, request: Request) -> tuple[Caller, str] | None:
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise Unauthenticated("Send the header as 'Authorization: Bearer <access token>'.")
        return caller_of_token(token.strip(), request.headers.get(ORGANIZATION_HEADER, "")), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class OperatorSession(SessionAuthentication):
    """Takes the session of an operator who has signed in to the console, with a CSRF token."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        django_request: HttpRequest = request._request  # noqa: SLF001  the framework's own way in
        operator = getattr(django_request, "user", None)
        if not isinstance(operator, Operator) or not (operator.is_active and operator.is_staff):
            return None
        # Not `request`, whose POST would read the body.
        self.enforce_csrf(django_request)  # type: ignore[arg-type]
        return caller_of_operator(operator, request.headers.get(ORGANIZATION_HEADER, "")), None


class _BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "cdp.api.authentication.BearerAuthentication"
    name = "oauth2"

    def get_security_definition(self, auto_schema: object) -> dict[str, object]:
        flow = {"tokenUrl": "/oauth/token/", "scopes": {"api": "What the credential's roles allow"}}
        return {
            "type": "oauth2",
            "description": "Client credentials; a token lives for an hour.",
            "flows": {"clientCredentials": flow},
        }


class _SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "cdp.api.authentication.OperatorSession"
    name = "console_session"

    def get_security_definition(self, auto_schema: object) -> dict[str, object]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "An operator who has signed in to the console.",
        }
