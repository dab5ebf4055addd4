"""Uploaded segments over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import CreateMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.views import SandboxViewSet
from segments import selectors
from segments.api.upload_serializers import (
    SegmentUploadIn,
    SegmentUploadOut,
    SegmentUploadPatch,
    UploadBatchIn,
    UploadBatchOut,
)
from segments.models import Upload
from segments.services import uploads


class SegmentUploadViewSet(ListMixin, RetrieveMixin, CreateMixin, PatchMixin, SandboxViewSet):
    """Segments whose members come from files. They are deleted as every segment is."""

    noun = "uploaded segment"
    permissions = {
        **dict.fromkeys(("list", "retrieve", "batches"), "view-segments"),
        "*": "manage-segments",
    }
    serializer_class = SegmentUploadOut

    def get_queryset(self) -> QuerySet[Upload]:
        return selectors.list_uploads(self.sandbox)

    def get_input_class(self) -> Any:
        if self.action == "open_batch":
            return UploadBatchIn
        return SegmentUploadPatch if self.action == "partial_update" else SegmentUploadIn

    def perform_create(self, values: dict[str, Any]) -> Upload:
        return uploads.create_upload(actor=self.actor, sandbox=self.sandbox, **values)

    def perform_patch(self, row: Upload, changes: dict[str, Any]) -> Upload:
        return uploads.change_upload(actor=self.actor, upload=row, **changes)

    def etag(self, row: Upload) -> str:
        return super().etag(row.segment)

    @extend_schema(summary="List an upload's batches", responses=UploadBatchOut(many=True))
    @action(detail=True, methods=["get"], filter_backends=(), pagination_class=None)
    def batches(self, request: Request, pk: str) -> Response:
        """List the batches that have brought rows or are about to, the newest first."""
        parts = selectors.list_upload_parts(self.get_object())[:100]
        return Response(UploadBatchOut(parts, many=True).data)

    @extend_schema(
        summary="Open a batch for an upload",
        request=UploadBatchIn,
        responses={201: UploadBatchOut},
    )
    @batches.mapping.post
    def open_batch(self, request: Request, pk: str) -> Response:
        """Open a batch: upload its files and complete it under `/batches/`.

        Its rows count all at once, when the batch is stored. What is wrong with rows is
        read where it is of every batch.
        """
        part = uploads.open_upload_batch(
            actor=self.actor, upload=self.get_object(), **self.checked()
        )
        headers = {"Location": f"/api/v1/batches/{part.batch_id}/"}
        shown = UploadBatchOut(part).data
        return Response(shown, status=status.HTTP_201_CREATED, headers=headers)
