"""Shapes of segments."""

from rest_framework import serializers

from cdp.api.serializers import StrictSerializer
from segments.models import Segment


class SegmentOut(serializers.ModelSerializer[Segment]):
    """A segment."""

    class Meta:
        model = Segment
        fields = (
            "id",
            "name",
            "description",
            "rule",
            "references",
            "merge_policy_id",
            "labels",
            "state",
            "version",
            "size",
            "evaluated_at",
            "published_at",
            "created_at",
            "updated_at",
        )


class SegmentPatch(StrictSerializer):
    """What can be changed of a segment."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(required=False, allow_blank=True, max_length=5_000)
    rule = serializers.JSONField()
    merge_policy_id = serializers.CharField(required=False, allow_null=True, max_length=40)
    labels = serializers.ListField(required=False, child=serializers.CharField(max_length=64))


class SegmentIn(SegmentPatch):
    """A new segment; it begins as a draft."""
