"""`schemas/` and `unions/`: what records look like, alone and together."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from cdp.api.mixins import (
    CreateMixin,
    DeleteMixin,
    InputMixin,
    ListMixin,
    PatchMixin,
    RetrieveMixin,
)
from cdp.api.views import SandboxViewSet
from cdp.errors import Conflict
from cdp.schemas import selectors
from cdp.schemas.api.holding import TurnMixin
from cdp.schemas.api.pagination import FieldPagination
from cdp.schemas.api.schema_serializers import (
    CheckedRecordIn,
    RecordCheckOut,
    SampleRecordOut,
    SchemaDetail,
    SchemaExportOut,
    SchemaImportIn,
    SchemaImportOut,
    SchemaIn,
    SchemaOut,
    SchemaPatch,
    SchemaResolved,
)
from cdp.schemas.api.shapes import ResourceVersionOut, SchemaFieldOut
from cdp.schemas.errors import as_errors, definition_refused
from cdp.schemas.models import Schema
from cdp.schemas.registry.problems import Refused
from cdp.schemas.registry.resources import Kind
from cdp.schemas.registry.sampling import sample_record
from cdp.schemas.services import exporting, importing
from cdp.schemas.services import schemas as service

IMPORT_MAX_BODY = 32 * 1024 * 1024
_READS = ("list", "retrieve", "fields", "sample", "history", "export", "validate")
_FILTERS = [
    OpenApiParameter("id", str, description="An id, a `$id` or an alternative id."),
    OpenApiParameter("class_id", str, description="An id, a `$id` or an alternative id."),
    OpenApiParameter("profile_enabled", bool),
]
_FORM = OpenApiParameter(
    "form",
    str,
    enum=["document", "resolved"],
    description="`resolved` gives the plain JSON Schema 2020-12, with all references followed.",
)
_PREFIX = OpenApiParameter(
    "prefix", str, description="Only this field and those below it, such as `commerce.order`."
)


@extend_schema_view(
    list=extend_schema(parameters=_FILTERS), retrieve=extend_schema(parameters=[_FORM])
)
class SchemaViewSet(
    TurnMixin, ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet
):
    """Descriptions of records: one class and its field groups.

    As soon as a dataset stands on a schema, or Profile reads it, it may only grow.
    """

    noun = "schema"
    permissions = {**dict.fromkeys(_READS, "view-schemas"), "*": "manage-schemas"}
    serializer_class = SchemaOut
    filterset_fields = ("title", "behavior")
    query_parameters = ("id", "class_id", "profile_enabled")
    ordering_fields = ("title", "updated_at")
    lookup_value_regex = "[^/]+"

    def get_queryset(self) -> QuerySet[Schema]:
        rows = selectors.list_schemas(self.sandbox)
        wanted = self.request.query_params if self.action == "list" else {}
        if key := wanted.get("id"):
            rows = rows.filter(pk=selectors.get_schema(self.sandbox, key).pk)
        if key := wanted.get("class_id"):
            rows = rows.filter(class_uri=selectors.class_uri(self.sandbox, key))
        if enabled := wanted.get("profile_enabled"):
            rows = rows.filter(profile_enabled_at__isnull=enabled not in ("true", "1"))
        return rows

    def get_object(self) -> Schema:
        return selectors.get_schema(self.sandbox, self.kwargs["pk"])

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        if self.action == "list":
            return SchemaOut
        resolved = self.request.query_params.get("form") == "resolved"
        return SchemaResolved if resolved else SchemaDetail

    def get_input_class(self) -> type[BaseSerializer[Any]]:
        return SchemaPatch if self.action == "partial_update" else SchemaIn

    def perform_create(self, values: dict[str, Any]) -> Schema:
        class_id = values.pop("class_id")
        return service.create_schema(
            actor=self.actor,
            sandbox=self.sandbox,
            class_uri=selectors.class_uri(self.sandbox, class_id),
            field_groups=self.group_uris(values.pop("field_groups")),
            **values,
        )

    def perform_patch(self, row: Schema, changes: dict[str, Any]) -> Schema:
        enable = changes.pop("profile_enabled", None)
        map_primary = changes.pop("identity_map_primary", False)
        if enable is False and row.profile_enabled:
            raise Conflict(
                "A schema that is enabled for Profile stays so. Disable its datasets instead.",
                code="profile_enabled",
            )
        if "field_groups" in changes:
            changes["field_groups"] = self.group_uris(changes["field_groups"])
        if changes:
            row = service.change_schema(actor=self.actor, schema=row, **changes)
        if enable:
            row = service.enable_for_profile(
                actor=self.actor, schema=row, identity_map_primary=map_primary
            )
        return row

    def perform_delete(self, row: Schema) -> None:
        service.delete_schema(actor=self.actor, schema=row)

    def group_uris(self, keys: list[str]) -> list[str]:
        """Return the `$id`s of field groups that are named in any way."""
        groups = (selectors.get_component(self.sandbox, Kind.FIELD_GROUP, key) for key in keys)
        return [group.uri for group in groups]

    @extend_schema(parameters=[_PREFIX], responses=SchemaFieldOut(many=True))
    @action(detail=True, pagination_class=FieldPagination, filter_backends=(), ordering_fields=())
    def fields(self, request: Request, pk: str) -> Response:
        """List the fields with type, labels and identity, in the schema's order."""
        compiled = selectors.compiled_schema(self.sandbox, self.get_object().pk)
        prefix = request.query_params.get("prefix", "")
        found = [
            field
            for path, field in compiled.fields.items()
            if not prefix or path == prefix or path.startswith(f"{prefix}.")
        ]
        return self.get_paginated_response(
            SchemaFieldOut(self.paginate_queryset(found), many=True).data
        )

    @extend_schema(responses=SampleRecordOut)
    @action(detail=True)
    def sample(self, request: Request, pk: str) -> Response:
        """Make up a record that the schema accepts."""
        compiled = selectors.compiled_schema(self.sandbox, self.get_object().pk)
        try:
            return Response({"record": sample_record(compiled)})
        except Refused as refusal:
            raise definition_refused(refusal.problems) from refusal

    @extend_schema(request=CheckedRecordIn, responses=RecordCheckOut)
    @action(detail=True, methods=["post"])
    def validate(self, request: Request, pk: str) -> Response:
        """Check a record without storing it, and give every reason why it may not come in."""
        schema = self.get_object()
        given = CheckedRecordIn(data=request.data)
        given.is_valid(raise_exception=True)
        compiled = selectors.compiled_schema(self.sandbox, schema.pk)
        errors = compiled.validate(given.validated_data["record"])
        return Response(RecordCheckOut({"valid": not errors, "errors": errors}).data)

    @extend_schema(responses=ResourceVersionOut(many=True))
    @action(detail=True, ordering="-version", ordering_fields=(), filter_backends=())
    def history(self, request: Request, pk: str) -> Response:
        """Tell what the schema has been, newest first."""
        versions = selectors.list_versions(self.sandbox, self.get_object().pk)
        page = self.paginate_queryset(versions)
        return self.get_paginated_response(ResourceVersionOut(page, many=True).data)

    @extend_schema(responses=SchemaExportOut)
    @action(detail=True)
    def export(self, request: Request, pk: str) -> Response:
        """Write the schema, what it rests on and its descriptors for another organization.

        A placeholder stands where the tenant's name was; `import/` puts the new one in.
        """
        return Response({"documents": exporting.export_schema(self.get_object())})


class SchemaImportViewSet(InputMixin, SandboxViewSet):
    """Brings schemas and their parts in."""

    noun = "import"
    permissions = {"*": "manage-schemas"}
    input_class = SchemaImportIn
    max_body = IMPORT_MAX_BODY

    @extend_schema(
        summary="Bring resources in", request=SchemaImportIn, responses={201: SchemaImportOut}
    )
    def create(self, request: Request) -> Response:
        """Bring in an export of another organization, or files of the public XDM repository.

        Resources under your own namespace become yours, all others are published
        standards and read-only. What the catalogue has is passed over.
        """
        values = self.checked()
        named = [
            (str(document.get("$id") or f"documents[{index}]"), document)
            for index, document in enumerate(values["documents"])
        ]
        report = importing.import_documents(
            actor=self.actor,
            sandbox=self.sandbox,
            documents=named,
            partial=values["partial"],
        )
        failures = [
            {"document": name, "errors": as_errors(problems)}
            for name, problems in report.failures.items()
        ]
        shown = SchemaImportOut(
            {
                "created": report.created,
                "descriptors": report.descriptors,
                "known": report.known,
                "failures": failures,
            }
        )
        return Response(shown.data, status=status.HTTP_201_CREATED)
