"""Shapes of uploaded segments."""

from typing import Any

from rest_framework import serializers

from cdp.api.serializers import StrictSerializer, example
from cdp.datasets.enums import FileFormat
from segments.enums import SegmentState, UploadMode
from segments.models import Upload, UploadPart
from segments.services.uploads import TTL_DAYS
from segments.uploading.ending import ends_at
from segments.uploading.reading import TYPES


class IdentityColumn(StrictSerializer):
    """A column whose values are identities of a namespace."""

    column = serializers.CharField(max_length=200)
    namespace = serializers.CharField(max_length=64)


class AttributeColumn(StrictSerializer):
    """A column that is kept beside each membership, under `name` (by default the column's)."""

    column = serializers.CharField(max_length=200)
    name = serializers.RegexField(r"^[A-Za-z_][A-Za-z0-9_]{0,63}$", required=False)
    type = serializers.ChoiceField(choices=sorted(TYPES), default="string")
    labels = serializers.ListField(
        child=serializers.CharField(max_length=64), default=list, max_length=20
    )


class SegmentUploadPatch(StrictSerializer):
    """What can be changed of an uploaded segment."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(required=False, allow_blank=True, max_length=5_000)
    labels = serializers.ListField(required=False, child=serializers.CharField(max_length=64))
    tags = serializers.ListField(
        required=False, max_length=50, child=serializers.CharField(max_length=64)
    )
    identities = serializers.ListField(child=IdentityColumn(), min_length=1, max_length=5)
    attributes = serializers.ListField(child=AttributeColumn(), required=False, max_length=50)
    ttl_days = serializers.IntegerField(
        required=False, min_value=1, max_value=365,
        help_text=f"How many days a row makes its person a member; {TTL_DAYS} by default.",
    )  # fmt: skip


@example(
    {
        "name": "Members of the club",
        "identities": [{"column": "email", "namespace": "Email"}],
        "attributes": [{"column": "since", "type": "date"}],
        "ttl_days": 90,
    }
)
class SegmentUploadIn(SegmentUploadPatch):
    """A new uploaded segment."""


class SegmentUploadOut(serializers.ModelSerializer[Upload]):
    """A segment whose members come from files; `id` is the segment's."""

    id = serializers.CharField(source="segment_id")
    name = serializers.CharField(source="segment.name")
    description = serializers.CharField(source="segment.description")
    labels = serializers.ListField(source="segment.labels", child=serializers.CharField())
    tags = serializers.ListField(source="segment.tags", child=serializers.CharField())
    state = serializers.ChoiceField(source="segment.state", choices=SegmentState.choices)
    size = serializers.IntegerField(source="segment.size")
    evaluated_at = serializers.DateTimeField(source="segment.evaluated_at")
    created_at = serializers.DateTimeField(source="segment.created_at")
    updated_at = serializers.DateTimeField(source="segment.updated_at")

    class Meta:
        model = Upload
        fields = (
            "id",
            "name",
            "description",
            "labels",
            "tags",
            "state",
            "size",
            "evaluated_at",
            "identities",
            "attributes",
            "ttl_days",
            "created_at",
            "updated_at",
        )


@example({"mode": "replace", "input_format": "csv"})
class UploadBatchIn(StrictSerializer):
    """A batch of files for an uploaded segment."""

    mode = serializers.ChoiceField(
        choices=UploadMode.choices,
        default=UploadMode.REPLACE,
        help_text="`replace`: only these rows count from then on; `add`: these, too.",
    )
    input_format = serializers.ChoiceField(choices=FileFormat.choices, default=FileFormat.CSV)
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


class UploadBatchOut(serializers.ModelSerializer[UploadPart]):
    """Rows of one batch; they count from `stored_at` to `ends_at`, unless they are over before."""

    ends_at = serializers.SerializerMethodField()

    class Meta:
        model = UploadPart
        fields = ("batch_id", "mode", "rows", "stored_at", "ends_at", "over", "created_at")

    def get_ends_at(self, part: UploadPart) -> Any:
        """Return when the rows run out; null before they count."""
        return ends_at(part) if part.stored_at is not None else None
