"""List, retrieve, create, patch and delete: thin over an app's selectors and services.

A view gives `get_queryset` (a selector), `serializer_class` (what comes out),
`input_class` (what goes in), and for each kind of change one method that calls a service.
"""

from abc import abstractmethod
from difflib import get_close_matches
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from cdp.api.filters import FilterBackend
from cdp.api.pagination import PARAMETERS
from cdp.api.views import ScopedViewSet
from cdp.errors import FieldError, Invalid, NotFound, Stale


class InputMixin(ScopedViewSet):
    """Checks what comes in."""

    input_class: ClassVar[type[BaseSerializer[Any]] | None] = None

    def checked(self, *, partial: bool = False) -> dict[str, Any]:
        """Return the body's values. Raises the framework's `ValidationError`."""
        given = self.get_input_class()(
            data=self.request.data, partial=partial, context=self.get_serializer_context()
        )
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = given.validated_data
        return values

    def get_input_class(self) -> type[BaseSerializer[Any]]:
        """Return the serializer of the body, `input_class` unless a view chooses by action."""
        if self.input_class is None:
            raise TypeError(f"{type(self).__name__} takes no input")
        return self.input_class


class ObjectMixin(ScopedViewSet):
    """Finds the one row that a route names, and tells its version."""

    noun: ClassVar[str] = "object"

    def get_object(self) -> Any:
        try:
            return super().get_object()
        except Http404 as error:
            key = self.kwargs[self.lookup_url_kwarg or self.lookup_field]
            raise NotFound(f"There is no {self.noun} '{key}' here.") from error

    def get_locked_object(self) -> Any:
        """Return the row, locked until the answer, after `If-Match` has been checked.

        Raises `NotFound`, and `Stale` if the row is not the one the client has read.
        """
        row = self.get_object()
        held = type(row)._default_manager.select_for_update(no_key=True).filter(pk=row.pk)
        if not held.values_list("pk", flat=True).first():
            raise NotFound(f"There is no {self.noun} '{row.pk}' here any more.")
        row = self.get_object()  # as it is now that nobody else can change it
        wanted = self.request.headers.get("If-Match", "*")
        if wanted != "*" and self.etag(row) not in [tag.strip() for tag in wanted.split(",")]:
            raise Stale(
                f"The {self.noun} has changed since you read it. Read it again, then repeat "
                "the change with its new ETag."
            )
        return row

    def etag(self, row: Any) -> str:
        """Return the row's version as an entity tag; empty for what never changes."""
        changed, version = getattr(row, "updated_at", None), getattr(row, "version", None)
        if changed is not None:
            version = int(changed.timestamp() * 1_000_000)
        return "" if version is None else f'"{version}"'

    def shown(self, row: Any, *, code: int = status.HTTP_200_OK) -> Response:
        """Return one row as an answer with its entity tag."""
        tag = self.etag(row)
        headers = {"ETag": tag} if tag else None
        return Response(self.get_serializer(row).data, status=code, headers=headers)

    def created(self, row: Any, **shown_once: Any) -> Response:
        """Return a new row as an answer that says where it is from now on.

        `shown_once` are secrets that the row itself does not keep.
        """
        response = self.shown(row, code=status.HTTP_201_CREATED)
        response.data = {**response.data, **shown_once}
        key = getattr(row, self.lookup_field)
        response.headers["Location"] = f"{self.request.path.rstrip('/')}/{key}/"
        return response


class ListMixin(ScopedViewSet):
    """GET on the collection."""

    query_parameters: ClassVar[tuple[str, ...]] = ()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List them, newest first, in pages."""
        rows: QuerySet[Model] = self.get_queryset()
        self.check_query(rows)
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def check_query(self, rows: Any) -> None:
        """Refuse a parameter that means nothing, which would silently list too much."""
        filters = FilterBackend().get_filterset_class(self, rows)
        known = {*PARAMETERS, *self.query_parameters, *getattr(filters, "base_filters", ())}
        errors = []
        for name in sorted(set(self.request.query_params) - known):
            meant = get_close_matches(name, known, n=1)
            hint = f" Did you mean '{meant[0]}'?" if meant else ""
            detail = f"There is no parameter '{name}'.{hint}"
            errors.append(FieldError(path=name, code="unknown_parameter", detail=detail))
        if errors:
            raise Invalid("Some query parameters are unknown; see `errors`.", errors=errors)


class RetrieveMixin(ObjectMixin):
    """GET on one."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Read one."""
        return self.shown(self.get_object())


class CreateMixin(InputMixin, ObjectMixin):
    """POST on the collection."""

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create one."""
        return self.created(self.perform_create(self.checked()))

    @abstractmethod
    def perform_create(self, values: dict[str, Any]) -> Any:
        """Call the service and return the new row."""


class PatchMixin(InputMixin, ObjectMixin):
    """PATCH on one: a merge; what is not named stays."""

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change one; fields that are left out stay as they are."""
        row = self.get_locked_object()
        changes = self.checked(partial=True)
        return self.shown(self.perform_patch(row, changes) if changes else row)

    @abstractmethod
    def perform_patch(self, row: Any, changes: dict[str, Any]) -> Any:
        """Call the service and return the row as it is now."""


class DeleteMixin(ObjectMixin):
    """DELETE on one."""

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete one; refused with the list of what depends on it."""
        self.perform_delete(self.get_locked_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @abstractmethod
    def perform_delete(self, row: Any) -> None:
        """Call the service."""
