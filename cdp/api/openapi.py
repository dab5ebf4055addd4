"""The OpenAPI document: what every operation has in common is added here, once."""

from typing import Any, Final

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, get_doc
from drf_spectacular.utils import OpenApiParameter

from cdp.api.errors import PROBLEM
from cdp.api.idempotency import HEADER as IDEMPOTENCY_HEADER
from cdp.api.mixins import InputMixin, ObjectMixin
from cdp.api.permissions import ANY_CALLER, OPERATOR, permission_of
from cdp.api.views import (
    DEFAULT_SANDBOX,
    SANDBOX_HEADER,
    OrganizationViewSet,
    SandboxViewSet,
    ScopedViewSet,
)
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Organization, Sandbox

_PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What went wrong, and what to do (RFC 9457). `code` never changes.",
    "required": ["type", "title", "status", "code", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:cdp:problem:invalid"]},
        "title": {"type": "string", "examples": ["Not valid"]},
        "status": {"type": "integer", "examples": [422]},
        "code": {"type": "string", "examples": ["invalid"]},
        "detail": {"type": "string", "examples": ["Some values are not valid; see `errors`."]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "code", "detail"],
                "properties": {
                    "path": {"type": "string", "examples": ["title"]},
                    "code": {"type": "string", "examples": ["required"]},
                    "detail": {"type": "string", "examples": ["This field is required."]},
                    "hint": {"type": "string", "description": "What was probably meant."},
                    "line": {"type": "integer", "description": "In a text, from 1."},
                    "column": {"type": "integer"},
                    "expected": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
    "additionalProperties": True,
}
_WHEN: Final[dict[str, str]] = {
    "400": "The request cannot be read.",
    "401": "No access token, or one that is expired or unknown.",
    "403": "A permission is missing; `permission` names it.",
    "404": "There is no such object, or it is not yours.",
    "409": "The state of the object, or what depends on it, stands in the way.",
    "412": "The object has changed since `If-Match` was read.",
    "413": "The body is too large.",
    "415": "The content type is not one this route reads.",
    "422": "Well-formed, but refused; see `errors`.",
    "429": "Too many requests; come back after `Retry-After` seconds.",
    "503": "A store is away for the moment; come back after `Retry-After` seconds.",
}
_VERBS: Final[dict[str, str]] = {
    "retrieve": "Read one",
    "create": "Create one",
    "partial_update": "Change one",
    "destroy": "Delete one",
}


class ProblemAutoSchema(AutoSchema):
    """Adds to every operation its errors, the permission it needs and its headers."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        # The views' selectors want to know whose rows; a document is nobody's.
        view = self.view
        if isinstance(view, SandboxViewSet):
            view.sandbox = Sandbox(pk=0, organization=Organization(pk=""))
        if isinstance(view, OrganizationViewSet):
            view.organization = Organization(pk="")
        if isinstance(view, ScopedViewSet):
            view.actor = Actor.system("openapi")
        return super().get_operation(*args, **kwargs)

    def get_summary(self) -> str:
        action = getattr(self.view, "action", None) or self.method.lower()
        doc = get_doc(getattr(self.view, action, None)) or get_doc(type(self.view))
        noun = getattr(self.view, "noun", "")
        if noun and noun != "object" and action in _VERBS:
            return f"{_VERBS[action].removesuffix(' one')} {_article(noun)} {noun}"
        if noun and noun != "object" and action == "list":
            return f"List {_plural(noun)}"
        return doc.partition("\n")[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]  # as the package does
        described: str = super().get_description()
        return f"{described}\n\n{self._permission_text()}".strip()

    def get_extensions(self) -> dict[str, Any]:
        wanted = self._permission()
        return {"x-permission": wanted} if wanted else {}

    def get_tags(self) -> list[str]:
        return [str(self._tokenize_path()[0])] if self._tokenize_path() else ["api"]

    def get_request_serializer(self) -> Any:
        view = self.view
        if isinstance(view, InputMixin) and view.action in {"create", "partial_update"}:
            return view.get_input_class()
        return super().get_request_serializer()

    def get_override_parameters(self) -> list[Any]:
        given = list(super().get_override_parameters())
        if isinstance(self.view, SandboxViewSet):
            given.append(
                _header(SANDBOX_HEADER, "The sandbox to work in.", default=DEFAULT_SANDBOX)
            )
        if self._keeps_answers():
            given.append(
                _header(
                    IDEMPOTENCY_HEADER,
                    "A text of your own; the same request sent again with it is done once "
                    "and gets the first answer, for 24 hours.",
                )
            )
        if self._changes_one():
            given.append(_header("If-Match", "The `ETag` as read; refused with 412 when stale."))
        return given

    def _get_filter_parameters(self) -> list[dict[str, Any]]:
        view: Any = self.view
        filters = getattr(view, "filterset_class", None)
        if filters is None and not getattr(view, "filterset_fields", None):
            return []
        # The package asks `get_queryset`, which may want to know of which object.
        model = filters._meta.model if filters else view.get_serializer_class().Meta.model
        view.queryset = model._default_manager.none()
        found: list[dict[str, Any]] = super()._get_filter_parameters()  # type: ignore[no-untyped-call]
        for parameter in found:
            parameter.setdefault("description", f"Only those with this `{parameter['name']}`.")
        return found

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "description": self._which(name),
            }
            for name in variables
        ]

    def _which(self, name: str) -> str:
        """Say what a part of the path names: the object of the view, or one above it."""
        view: Any = self.view
        noun = getattr(view, "noun", "object")
        if name in ("id", "pk", view.lookup_url_kwarg or view.lookup_field):
            return f"Which {noun}."
        above, _, _ = name.rpartition("_")
        return f"The {name} of the {noun}." if not above else f"Which {above.replace('_', ' ')}."

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if not isinstance(self.view, ScopedViewSet):
            return bodies
        self.registry.register_on_missing(
            ResolvedComponent(  # type: ignore[no-untyped-call]
                "Problem", ResolvedComponent.SCHEMA, _PROBLEM_SCHEMA, "Problem"
            )
        )
        content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for code in self._error_codes():
            bodies.setdefault(code, {"description": _WHEN[code], "content": content})
        return dict(sorted(bodies.items()))

    def _error_codes(self) -> list[str]:
        codes = {"400", "401", "403", "422", "429", "503"}
        if "{" in self.path or isinstance(self.view, SandboxViewSet):
            codes.add("404")
        if self.method in {"POST", "PUT", "PATCH"}:
            codes |= {"409", "413", "415"}
        if self.method == "DELETE":
            codes.add("409")
        if self._changes_one():
            codes.add("412")
        return sorted(codes)

    def _keeps_answers(self) -> bool:
        view = self.view
        return self.method == "POST" and isinstance(view, ScopedViewSet) and view.keeps_answers

    def _changes_one(self) -> bool:
        action = getattr(self.view, "action", None)
        return isinstance(self.view, ObjectMixin) and action in {"partial_update", "destroy"}

    def _permission(self) -> str:
        view = self.view
        if not isinstance(view, ScopedViewSet) or view.action is None:
            return ""
        return permission_of(view, view.action)

    def _permission_text(self) -> str:
        match self._permission():
            case "":
                return ""
            case wanted if wanted == ANY_CALLER:
                return "Needs a credential, and no permission."
            case wanted if wanted == OPERATOR:
                return "Needs an operator's credential."
            case wanted:
                return f"Needs the permission `{wanted}`."


def _header(name: str, description: str, default: str | None = None) -> OpenApiParameter:
    return OpenApiParameter(
        name, str, OpenApiParameter.HEADER, description=description, default=default
    )


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeio" else "a"


def _plural(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeou" else f"{noun}s"
