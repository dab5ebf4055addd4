"""Shapes of compositions."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cdp.api.serializers import StrictSerializer, example
from segments.api.serializers import PossibilityOut
from segments.models import Composition, Segment


class CompositionResultOut(serializers.ModelSerializer[Segment]):
    """A segment that a composition results in; `branch` is the key of its branch, or `all`."""

    class Meta:
        model = Segment
        fields = ("id", "name", "branch", "state", "size", "evaluated_at")


class CompositionOut(serializers.ModelSerializer[Composition]):
    """A composition, with the segments that it results in."""

    results = serializers.SerializerMethodField()

    class Meta:
        model = Composition
        fields = (
            "id",
            "name",
            "description",
            "definition",
            "results",
            "state",
            "version",
            "published_at",
            "created_at",
            "updated_at",
        )

    @extend_schema_field(CompositionResultOut(many=True))
    def get_results(self, composition: Composition) -> list[dict[str, Any]]:
        """Return the segments, in the order of their making."""
        rows = sorted(composition.results.all(), key=lambda segment: segment.pk)
        return [dict(CompositionResultOut(row).data) for row in rows]


class CompositionPatch(StrictSerializer):
    """What can be changed of a composition. A definition replaces the one before."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(required=False, allow_blank=True, max_length=5_000)
    definition = serializers.JSONField(help_text="The composition as a tree.")


@example(
    {
        "name": "A test of two offers",
        "definition": {
            "of": {"type": "rule", "text": "loyalty.points > 100"},
            "split": {
                "by": "share",
                "branches": [
                    {"key": "a", "name": "Offer A", "percent": 50},
                    {"key": "b", "name": "Offer B", "percent": 50},
                ],
            },
        },
    }
)
class CompositionIn(CompositionPatch):
    """A new composition; it begins as a draft."""


class BranchExplanationOut(serializers.Serializer[Any]):
    """How one result is kept up to date, and why."""

    segment_id = serializers.CharField()
    branch = serializers.CharField()
    segments = serializers.ListField(child=serializers.CharField())
    fields_used = serializers.ListField(child=serializers.CharField())
    methods = PossibilityOut(many=True)


class CompositionExplanationOut(serializers.Serializer[Any]):
    """How a composition is kept up to date."""

    results = BranchExplanationOut(many=True)
