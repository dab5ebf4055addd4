"""`behaviors/`, `classes/`, `field-groups/`, `data-types/`: what schemas are made of."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from cdp.api.mixins import CreateMixin, DeleteMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.pagination import CursorPagination
from cdp.api.views import SandboxViewSet
from cdp.schemas import selectors
from cdp.schemas.api.component_serializers import (
    ClassIn,
    ComponentPatch,
    DataTypeIn,
    FieldGroupDetail,
    FieldGroupIn,
    FieldGroupOut,
    FieldGroupPatch,
    RegistryEntryDetail,
    RegistryEntryOut,
)
from cdp.schemas.api.entries import Entry, entry_of, matches
from cdp.schemas.api.holding import TurnMixin
from cdp.schemas.api.pagination import EntryPagination
from cdp.schemas.api.shapes import ResourceVersionOut
from cdp.schemas.errors import StandardResource
from cdp.schemas.models import Component
from cdp.schemas.registry import catalogue
from cdp.schemas.registry.resources import Kind, Resource
from cdp.schemas.services import components

READ_AND_MANAGE = {
    "list": "view-schemas",
    "retrieve": "view-schemas",
    "history": "view-schemas",
    "*": "manage-schemas",
}
_FILTERS = [
    OpenApiParameter("id", str, description="An id, a `$id` or an alternative id."),
    OpenApiParameter("title", str, description="A part of the title."),
    OpenApiParameter("container", str, enum=["standard", "imported", "own"]),
]


class _EntryViewSet(ListMixin, RetrieveMixin, SandboxViewSet):
    """Reads what is standard and what the sandbox has, in one list."""

    kind: ClassVar[Kind]
    permissions = READ_AND_MANAGE
    list_class: ClassVar[type[BaseSerializer[Any]]] = RegistryEntryOut
    detail_class: ClassVar[type[BaseSerializer[Any]]] = RegistryEntryDetail
    pagination_class: type[CursorPagination] | None = EntryPagination
    filter_backends = ()
    query_parameters: ClassVar[tuple[str, ...]] = ("id", "title", "container")
    lookup_value_regex = "[^/]+"

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the standard ones by title, then the sandbox's own, newest first; in pages."""
        return super().list(request, *args, **kwargs)

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return self.list_class if self.action == "list" else self.detail_class

    def get_queryset(self) -> Any:
        given = catalogue.standard_resources().values()
        standard = sorted((r for r in given if r.kind is self.kind), key=lambda r: r.title)
        own = selectors.list_components(self.sandbox, self.kind).order_by("-pk")
        return [*map(entry_of, standard), *map(entry_of, own)]

    def filter_queryset(self, queryset: Any) -> Any:
        wanted = {key: self.request.query_params.get(key, "") for key in self.query_parameters}
        if wanted.get("class_id"):
            wanted["class_id"] = selectors.class_uri(self.sandbox, wanted["class_id"])
        return [entry for entry in queryset if matches(entry, wanted)]

    def get_object(self) -> Any:
        row = selectors.get_component(self.sandbox, self.kind, self.kwargs["pk"])
        if self.action in ("retrieve", "history"):
            return entry_of(row)
        if isinstance(row, Resource):
            raise StandardResource(
                f"'{row.title}' is a standard {self.kind.noun}. It is read-only; make one of "
                "your own that extends it or stands beside it."
            )
        return row

    def shown(self, row: Component | Entry, **options: Any) -> Response:
        return super().shown(row if isinstance(row, Entry) else entry_of(row), **options)


class _OwnViewSet(TurnMixin, CreateMixin, PatchMixin, DeleteMixin, _EntryViewSet):
    """Makes, changes and deletes what is the sandbox's own."""

    patch_class: ClassVar[type[BaseSerializer[Any]]] = ComponentPatch

    def get_input_class(self) -> type[BaseSerializer[Any]]:
        if self.action == "partial_update" or self.input_class is None:
            return self.patch_class
        return self.input_class

    def perform_create(self, values: dict[str, Any]) -> Component:
        return components.create_component(
            actor=self.actor, sandbox=self.sandbox, kind=self.kind, **self.named(values)
        )

    def perform_patch(self, row: Component, changes: dict[str, Any]) -> Component:
        return components.change_component(actor=self.actor, component=row, **self.named(changes))

    def perform_delete(self, row: Component) -> None:
        components.delete_component(actor=self.actor, component=row)

    @extend_schema(responses=ResourceVersionOut(many=True))
    @action(detail=True, pagination_class=CursorPagination, ordering="-version")
    def history(self, request: Request, pk: str) -> Response:
        """Tell what it has been, newest first."""
        versions = selectors.list_versions(self.sandbox, self.get_object().id)
        page = self.paginate_queryset(versions)
        return self.get_paginated_response(ResourceVersionOut(page, many=True).data)

    def named(self, values: dict[str, Any]) -> dict[str, Any]:
        """Replace what names a class in any way by its `$id`."""
        if "classes" in values:
            keys = values["classes"]
            values["classes"] = [selectors.class_uri(self.sandbox, key) for key in keys]
        return values


@extend_schema_view(list=extend_schema(parameters=_FILTERS))
class BehaviorViewSet(_EntryViewSet):
    """The two natures of data: facts about things (`record`), and about moments (`time-series`)."""

    noun = "behavior"
    kind = Kind.BEHAVIOR


@extend_schema_view(list=extend_schema(summary="List classes", parameters=_FILTERS))
class ClassViewSet(_OwnViewSet):
    """What a record is about: a person, an event, a product. A schema has one class."""

    noun = "class"
    kind = Kind.CLASS
    input_class = ClassIn

    def named(self, values: dict[str, Any]) -> dict[str, Any]:
        base = values.pop("extends", None)
        if base is not None:
            values["bases"] = [self.base(base)]
        return values

    def base(self, key: str) -> str:
        """Return the `$id` of the behavior or class that a new class extends."""
        for behavior in (catalogue.RECORD, catalogue.TIME_SERIES):
            if key == behavior.rpartition("/")[2]:
                return behavior
        if selectors.find_component(self.sandbox, Kind.BEHAVIOR, key) is not None:
            return selectors.get_component(self.sandbox, Kind.BEHAVIOR, key).uri
        return selectors.class_uri(self.sandbox, key)


@extend_schema_view(
    list=extend_schema(
        parameters=[
            *_FILTERS,
            OpenApiParameter("class_id", str, description="Those that fit this class."),
        ]
    )
)
class FieldGroupViewSet(_OwnViewSet):
    """Fields that belong together and can join the schemas of certain classes."""

    noun = "field group"
    kind = Kind.FIELD_GROUP
    list_class = FieldGroupOut
    detail_class = FieldGroupDetail
    input_class = FieldGroupIn
    patch_class = FieldGroupPatch
    query_parameters = ("id", "title", "container", "class_id")


@extend_schema_view(list=extend_schema(parameters=_FILTERS))
class DataTypeViewSet(_OwnViewSet):
    """Objects that fields refer to: an address, an amount of money, buckets by period."""

    noun = "data type"
    kind = Kind.DATA_TYPE
    input_class = DataTypeIn
