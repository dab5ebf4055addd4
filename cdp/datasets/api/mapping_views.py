"""Mapping sets over HTTP."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import CreateMixin, DeleteMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.views import SandboxViewSet
from cdp.datasets import selectors, sourcing
from cdp.datasets.api.mapping_serializers import (
    FunctionOut,
    MappingSetIn,
    MappingSetOut,
    MappingSetPatch,
    MappingVersionOut,
    PreviewIn,
    PreviewOut,
    SuggestIn,
    SuggestOut,
    ValidateIn,
    ValidateOut,
)
from cdp.datasets.errors import MappingInvalid
from cdp.datasets.mapping.functions.registry import FUNCTIONS
from cdp.datasets.mapping.suggest import suggest
from cdp.datasets.models import MappingSet
from cdp.datasets.services import mappings
from cdp.datasets.sources.registry import get_type
from cdp.errors import Invalid
from cdp.schemas.registry.validation import CompiledSchema
from cdp.schemas.selectors import compiled_schema, get_schema

_INPUTS = {
    "partial_update": MappingSetPatch,
    "suggest": SuggestIn,
    "validate": ValidateIn,
    "preview": PreviewIn,
}


class MappingSetViewSet(
    ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet
):
    """Rules from foreign rows to the fields of a schema."""

    noun = "mapping set"
    permissions = {
        "list": "view-sources",
        "retrieve": "view-sources",
        "versions": "view-sources",
        "functions": "view-sources",
        "validate": "view-sources",
        "preview": "view-sources",
        "*": "manage-sources",
    }
    serializer_class = MappingSetOut
    filterset_fields = ("name", "schema_id")
    ordering_fields = ("name", "updated_at")

    def get_queryset(self) -> QuerySet[MappingSet]:
        return selectors.list_mapping_sets(self.sandbox)

    def get_input_class(self) -> Any:
        return _INPUTS.get(self.action or "", MappingSetIn)

    def perform_create(self, values: dict[str, Any]) -> MappingSet:
        schema = get_schema(self.sandbox, values.pop("schema_id"))
        row = mappings.create_mapping_set(
            actor=self.actor, sandbox=self.sandbox, schema=schema, **values
        )
        return self.get_queryset().get(pk=row.pk)  # with its rules

    def perform_patch(self, row: MappingSet, changes: dict[str, Any]) -> MappingSet:
        mappings.change_mapping_set(actor=self.actor, mapping_set=row, **changes)
        return self.get_queryset().get(pk=row.pk)

    def perform_delete(self, row: MappingSet) -> None:
        mappings.delete_mapping_set(actor=self.actor, mapping_set=row)

    @extend_schema(responses=MappingVersionOut(many=True))
    @action(methods=["get"], detail=True)
    def versions(self, request: Request, pk: str) -> Response:
        """List a mapping set's versions, newest first."""
        rows = self.get_object().versions.all()
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(MappingVersionOut(page, many=True).data)

    @extend_schema(request=SuggestIn, responses=SuggestOut)
    @action(methods=["post"], detail=False)
    def suggest(self, request: Request) -> Response:
        """Suggest rules for the columns of a source, by their names and types.

        Give the columns themselves, or a connection and what is to be read from it.
        """
        asked = self.checked()
        schema = self._schema(asked["schema_id"])
        columns, known = self._columns(asked)
        found = suggest(columns, schema.fields, known)
        mapped = {each.source for each in found}
        answer = {
            "suggestions": [
                {
                    "rule": {
                        "kind": "attribute",
                        "source": each.source,
                        "destination": each.destination,
                    },
                    "confidence": each.confidence,
                }
                for each in found
            ],
            "unmapped": [name for name, _ in columns if name not in mapped],
        }
        return Response(SuggestOut(answer).data)

    @extend_schema(request=ValidateIn, responses=ValidateOut)
    @action(methods=["post"], detail=False)
    def validate(self, request: Request) -> Response:
        """Check rules for a schema, without storing anything."""
        asked = self.checked()
        try:
            mappings.compiled(self._schema(asked["schema_id"]), asked["rules"])
        except MappingInvalid as error:
            return Response(ValidateOut({"valid": False, "errors": error.errors}).data)
        return Response(ValidateOut({"valid": True, "errors": []}).data)

    @extend_schema(request=PreviewIn, responses=PreviewOut)
    @action(methods=["post"], detail=False)
    def preview(self, request: Request) -> Response:
        """Try rules on some rows: the records they become, and what is wrong with them."""
        asked = self.checked()
        tried = mappings.try_mapping(
            self._schema(asked["schema_id"]), asked["rules"], asked["rows"], now=timezone.now()
        )
        return Response(PreviewOut({"results": tried}).data)

    @extend_schema(responses=FunctionOut(many=True))
    @action(methods=["get"], detail=False, pagination_class=None)
    def functions(self, request: Request) -> Response:
        """List the functions of the expression language, each with an example."""
        found = sorted(FUNCTIONS.values(), key=lambda each: (each.area, each.name))
        return Response({"results": FunctionOut(found, many=True).data})

    def _schema(self, key: str) -> CompiledSchema:
        return compiled_schema(self.sandbox, get_schema(self.sandbox, key).pk)

    def _columns(self, asked: dict[str, Any]) -> tuple[list[tuple[str, str]], Any]:
        if "columns" in asked:
            return [(each["name"], each["type"]) for each in asked["columns"]], {}
        if "connection_id" not in asked:
            raise Invalid("Give either columns, or a connection with what is to be read.")
        connection = selectors.get_connection(self.sandbox, asked["connection_id"])
        sample = sourcing.preview(connection, asked.get("selection", {}))
        known = get_type(connection.kind).known_fields
        return [(column.name, column.type) for column in sample.columns], known
