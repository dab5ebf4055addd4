"""Shapes of batches and their files."""

from typing import Any

from rest_framework import serializers

from cdp.api.serializers import StrictSerializer
from cdp.datasets.enums import FileFormat
from cdp.datasets.models import Batch, BatchFile
from cdp.datasets.seeing import RefusedRecords


class BatchFileOut(serializers.ModelSerializer[BatchFile]):
    """A file of a batch; `pieces` tells which bytes [start, end) have come."""

    class Meta:
        model = BatchFile
        fields = ("id", "name", "size", "complete", "pieces", "created_at")


class BatchOut(serializers.ModelSerializer[Batch]):
    """A batch, with its counts."""

    progress = serializers.SerializerMethodField()
    errors = serializers.SerializerMethodField(  # type: ignore[assignment]  # not its mistakes
        help_text="Counts of bad rows by code, each with an example."
    )

    class Meta:
        model = Batch
        fields = (
            "id",
            "dataset_id",
            "external_id",
            "state",
            "reason",
            "input_format",
            "format_options",
            "partial_percent",
            "error_diagnostics",
            "tags",
            "replaces",
            "files_of",
            "flow_run_id",
            "errors",
            "input_files",
            "input_bytes",
            "input_records",
            "failed_records",
            "stored_records",
            "duplicate_records",
            "progress",
            "created_at",
            "started_at",
            "completed_at",
            "updated_at",
        )

    def get_errors(self, batch: Batch) -> list[dict[str, Any]]:
        refused: RefusedRecords = self.context["refused"]
        return [
            {**one, "example": refused.detail(batch.dataset_id, one["example"])}
            for one in batch.errors
        ]

    def get_progress(self, batch: Batch) -> dict[str, int]:
        return {"done": batch.chunks_stored, "total": batch.chunks}


class BatchIn(StrictSerializer):
    """A new batch."""

    dataset_id = serializers.CharField(max_length=40)
    external_id = serializers.CharField(required=False, max_length=200)
    input_format = serializers.ChoiceField(
        choices=FileFormat.choices, default=FileFormat.JSON_LINES
    )
    format_options = serializers.DictField(
        required=False,
        help_text="For CSV: delimiter, quote, escape, null_marker, header, charset.",
    )
    partial_percent = serializers.FloatField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=100,
        help_text="So many bad rows in a hundred are put aside; without it any fails the batch.",
    )
    error_diagnostics = serializers.BooleanField(default=True)
    replaces = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=100
    )
    tags = serializers.DictField(
        required=False, child=serializers.ListField(child=serializers.CharField(max_length=200))
    )


class Nothing(serializers.Serializer[Any]):
    """No body."""
