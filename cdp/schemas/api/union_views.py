"""`unions/`: the vocabulary of a class, over all its schemas that Profile reads."""

from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from cdp.api.mixins import ListMixin, RetrieveMixin
from cdp.api.views import SandboxViewSet
from cdp.errors import NotFound
from cdp.schemas import selectors
from cdp.schemas.api.pagination import EntryPagination, FieldPagination
from cdp.schemas.api.schema_serializers import UnionDetail, UnionOut
from cdp.schemas.api.shapes import SchemaFieldOut
from cdp.schemas.registry.names import alt_id
from cdp.schemas.registry.resources import Kind
from cdp.schemas.registry.unions import union
from cdp.tenancy.models import Sandbox


@dataclass(frozen=True)
class Union:
    """The union of one class."""

    id: str
    class_id: str
    title: str
    schemas: tuple[str, ...]
    document: Any = None

    @property
    def pk(self) -> str:
        """The id, as the views' base asks for it."""
        return self.id

    version = 1


class UnionViewSet(ListMixin, RetrieveMixin, SandboxViewSet):
    """All schemas of a class that Profile reads, seen as one. Read-only: it follows from them."""

    noun = "union"
    permissions = {"*": "view-schemas"}
    serializer_class = UnionOut
    pagination_class = EntryPagination
    filter_backends = ()
    lookup_value_regex = "[^/]+"

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return UnionOut if self.action == "list" else UnionDetail

    def get_queryset(self) -> Any:
        return [_union(self.sandbox, uri) for uri in selectors.union_classes(self.sandbox)]

    def get_object(self) -> Any:
        uri = selectors.class_uri(self.sandbox, self.kwargs["pk"])
        if uri not in selectors.union_classes(self.sandbox):
            raise NotFound("No schema of this class is enabled for Profile yet.")
        return _union(self.sandbox, uri, whole=self.action == "retrieve")

    @extend_schema(responses=SchemaFieldOut(many=True))
    @action(detail=True, pagination_class=FieldPagination)
    def fields(self, request: Request, pk: str) -> Response:
        """List the fields of the union, among them those that the platform itself writes."""
        found = list(selectors.union_fields(self.sandbox, self.get_object().class_id).values())
        return self.get_paginated_response(
            SchemaFieldOut(self.paginate_queryset(found), many=True).data
        )


def _union(sandbox: Sandbox, uri: str, *, whole: bool = False) -> Union:
    title = selectors.get_component(sandbox, Kind.CLASS, uri).title
    ids = tuple(selectors.union_members(sandbox, uri).order_by("pk").values_list("pk", flat=True))
    document = None
    if whole:
        members = selectors.compiled_schemas(sandbox, ids).values()
        named = [(member.title, member.resolved, member.fields) for member in members]
        document = union(f"Union of {title}", f"{uri}__union", named)
    return Union(alt_id(uri), uri, title, ids, document)
