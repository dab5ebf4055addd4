"""`profile-exports/`: profiles, handed out."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import DeleteMixin, InputMixin, ListMixin, RetrieveMixin
from cdp.api.serializers import StrictSerializer, example
from cdp.api.views import SandboxViewSet
from cdp.datasets.errors import FieldHidden
from profiles.enums import (
    Compression,
    ExportFormat,
    ExportPart,
    ExportState,
    ExportTarget,
    MembershipStatus,
)
from profiles.errors import ExportGone, ExportUnfinished
from profiles.exporting.run import CONTENT, folder_of
from profiles.models import ProfileExport
from profiles.selectors.exports import list_exports
from profiles.services.exports import cancel_export, create_export, delete_export

_BLOCK = 256 * 1024
_DEFAULT_PARTS = [ExportPart.ATTRIBUTES, ExportPart.IDENTITIES, ExportPart.SEGMENTS]


class ProfileExportOut(serializers.ModelSerializer[ProfileExport]):
    """An export. Its job tells how far it is; `labels` are those of the data in it."""

    class Meta:
        model = ProfileExport
        fields = (
            "id",
            "title",
            "target",
            "dataset_id",
            "format",
            "compression",
            "parts",
            "fields",
            "merge_policy_id",
            "segments",
            "segment_statuses",
            "changed_since",
            "events_since",
            "event_types",
            "marketing_actions",
            "labels",
            "state",
            "detail",
            "job_id",
            "profiles",
            "size",
            "created_at",
            "started_at",
            "completed_at",
            "expires_at",
        )


@example(
    {
        "target": "file",
        "format": "csv",
        "fields": ["person.name", "loyalty.tier"],
        "segments": ["seg_01m8m3bq8p4v0n5c2h7x9k6d1f"],
    }
)
class ProfileExportIn(StrictSerializer):
    """Whom to export, what of them, and where to."""

    title = serializers.CharField(max_length=200, default="", allow_blank=True)
    target = serializers.ChoiceField(choices=ExportTarget.choices, default=ExportTarget.FILE)
    dataset_id = serializers.CharField(
        max_length=40, default="", help_text="Of the target `dataset`: not enabled for Profile."
    )
    format = serializers.ChoiceField(choices=ExportFormat.choices, default="")
    compression = serializers.ChoiceField(choices=Compression.choices, default=Compression.NONE)
    parts = serializers.ListField(
        child=serializers.ChoiceField(choices=ExportPart.choices),
        default=lambda: list(_DEFAULT_PARTS),
        min_length=1,
        max_length=4,
        help_text="What of each profile, beside its id.",
    )
    fields = serializers.ListField(  # type: ignore[assignment]  # the name that the API promises
        child=serializers.CharField(max_length=500),
        default=list,
        max_length=500,
        help_text="Which attributes, as dotted paths; all that you may see without it.",
    )
    merge_policy = serializers.CharField(
        max_length=40, required=False, help_text="Instead of the default one."
    )
    segments = serializers.ListField(
        child=serializers.CharField(max_length=40),
        default=list,
        max_length=50,
        help_text="Only members of one of these; everybody without it.",
    )
    segment_statuses = serializers.ListField(
        child=serializers.ChoiceField(choices=MembershipStatus.choices),
        default=lambda: [MembershipStatus.REALIZED],
        min_length=1,
        max_length=2,
    )
    changed_since = serializers.DateTimeField(
        required=False, help_text="Only profiles that have changed since, such as the last export."
    )
    events_since = serializers.DateTimeField(
        required=False, help_text="With the part `events`: the newest 5,000 of each from then on."
    )
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=200), default=list, max_length=100
    )
    marketing_actions = serializers.ListField(
        child=serializers.CharField(max_length=63),
        required=False,
        max_length=50,
        help_text="What it is for. A file is for `exportToThirdParty` unless you say.",
    )


class ProfileExportsViewSet(ListMixin, RetrieveMixin, DeleteMixin, InputMixin, SandboxViewSet):
    """Exports of profiles to a file or a dataset, as of one moment.

    Policies are asked whether the data may be used so. Files are kept for a week, and
    not beyond the erasure of somebody who is in them.
    """

    noun = "profile export"
    permissions = {"*": "export-profiles"}
    serializer_class = ProfileExportOut
    input_class = ProfileExportIn
    filterset_fields = ("state", "target")

    def get_queryset(self) -> QuerySet[ProfileExport]:
        return list_exports(self.sandbox)

    @extend_schema(
        request=ProfileExportIn,
        responses={202: ProfileExportOut},
        examples=[
            OpenApiExample(
                "Members of a segment as CSV",
                request_only=True,
                value={
                    "title": "Runners",
                    "format": "csv",
                    "compression": "gzip",
                    "fields": ["person.name", "personalEmail.address"],
                    "segments": ["seg_01m8099cn3pw6b7n4kzrj03zkz"],
                    "marketing_actions": ["emailTargeting"],
                },
            )
        ],
    )
    def create(self, request: Request) -> Response:
        """Export profiles; a job does it. Fields that you may not see are left out."""
        row = create_export(actor=self.actor, sandbox=self.sandbox, **self.checked())
        return self.shown(row, code=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses=ProfileExportOut)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop it; what a dataset has been given stays there."""
        row = cancel_export(actor=self.actor, export=self.get_locked_object())
        return self.shown(row)

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)}
    )
    @action(detail=True)
    def content(self, request: Request, pk: str) -> Any:
        """Get the file of an export; refused if it holds labels that none of your roles carries."""
        row: ProfileExport = self.get_object()
        if row.state in (ExportState.SUBMITTED, ExportState.PROCESSING):
            raise ExportUnfinished("The export is still being made; ask again later.")
        if not self.actor.may_see(row.labels):
            raise FieldHidden(f"export {row.pk}")
        folder = folder_of(self.sandbox, row.pk)
        if row.state != ExportState.COMPLETE or not folder.exists(CONTENT):
            raise ExportGone("This export has no file, or it is not kept any more.")

        def blocks() -> Iterator[bytes]:
            with folder.reading(CONTENT) as file:
                while block := file.read(_BLOCK):
                    yield block

        return self.streamed(blocks, content_type="application/octet-stream", filename=row.filename)

    def perform_delete(self, row: ProfileExport) -> None:
        delete_export(actor=self.actor, export=row)
