"""Shapes of segments."""

from typing import Any

from rest_framework import serializers

from cdp.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from cdp.api.serializers import StrictSerializer, example
from segments.enums import SegmentOrigin
from segments.language.print import print_rule
from segments.language.tree_reading import read_condition
from segments.models import Evaluation, Segment, SegmentSize, SegmentVersion


class SegmentOut(serializers.ModelSerializer[Segment]):
    """A segment; `rule` is its rule as a tree, `text` the same as text.

    Both are null where not a rule decides: a composition (`branch` is the key of its
    branch, or `all`), or rows that were uploaded.
    """

    rule = serializers.SerializerMethodField()
    text = serializers.SerializerMethodField()
    origin = serializers.ChoiceField(choices=SegmentOrigin.choices, read_only=True)

    class Meta:
        model = Segment
        fields = (
            "id",
            "name",
            "description",
            "origin",
            "rule",
            "text",
            "composition_id",
            "branch",
            "references",
            "tags",
            "merge_policy_id",
            "labels",
            "on_edge",
            "state",
            "version",
            "size",
            "evaluated_at",
            "published_at",
            "created_at",
            "updated_at",
        )

    def get_rule(self, segment: Segment) -> dict[str, Any] | None:
        """Return the rule as a tree."""
        tree: dict[str, Any] = segment.rule
        return tree if segment.origin == SegmentOrigin.RULE else None

    def get_text(self, segment: Segment) -> str | None:
        """Return the rule as text."""
        if segment.origin != SegmentOrigin.RULE:
            return None
        return print_rule(read_condition(segment.rule))


@example({"text": 'loyalty.tier in ["gold", "platinum"]'})
class RuleIn(StrictSerializer):
    """A rule, given either as a tree or as text."""

    rule = serializers.JSONField(required=False, help_text="The rule as a tree.")
    text = serializers.CharField(
        required=False, max_length=100_000, trim_whitespace=False, help_text="The rule as text."
    )


class SegmentPatch(RuleIn):
    """What can be changed of a segment."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(required=False, allow_blank=True, max_length=5_000)
    merge_policy_id = serializers.CharField(required=False, allow_null=True, max_length=40)
    labels = serializers.ListField(required=False, child=serializers.CharField(max_length=64))
    on_edge = serializers.BooleanField(
        required=False, help_text="Tell its members' own browsers and apps of it."
    )
    tags = serializers.ListField(
        required=False, max_length=50, child=serializers.CharField(max_length=64)
    )


@example(
    {
        "name": "Spent 250 in three months",
        "text": 'xEvent[eventType = "commerce.purchases" and timestamp occurs <= 3 months before'
        " now].sum(commerce.order.payments.paymentAmount) >= 250",
        "tags": ["spring"],
    }
)
class SegmentIn(SegmentPatch):
    """A new segment; it begins as a draft."""


class RuleOut(serializers.Serializer[Any]):
    """A rule in both of its forms."""

    rule = serializers.JSONField()
    text = serializers.CharField()


class UsedFieldOut(serializers.Serializer[Any]):
    """A field that a rule looks at."""

    base = serializers.CharField(help_text="profile, event or entity")
    entity = serializers.CharField(help_text="The schema of the look-up entity it is of, if any.")
    path = serializers.CharField()
    labels = serializers.ListField(child=serializers.CharField())


class PossibilityOut(serializers.Serializer[Any]):
    """Whether a method of evaluation is possible, and why or why not."""

    method = serializers.CharField()
    possible = serializers.BooleanField()
    reason = serializers.CharField()


class CostOut(serializers.Serializer[Any]):
    """What one evaluation reads."""

    choices = serializers.IntegerField(help_text="Different choices of events.")
    sequences = serializers.IntegerField()
    look_ups = serializers.IntegerField()
    weight = serializers.IntegerField(help_text="A number to compare rules by.")


class RuleExplanationOut(serializers.Serializer[Any]):
    """What a rule looks at, how it can be evaluated, and what that costs."""

    text = serializers.CharField()
    fields_used = UsedFieldOut(many=True)
    segments = serializers.ListField(child=serializers.CharField())
    methods = PossibilityOut(many=True)
    cost = CostOut()


class EstimateOut(serializers.Serializer[Any]):
    """How many profiles a rule would find; between `low` and `high` in 95 of 100 cases."""

    profiles = serializers.IntegerField(help_text="How many there are.")
    asked = serializers.IntegerField(help_text="How many of them were asked.")
    matched = serializers.IntegerField(help_text="How many of those satisfy the rule.")
    size = serializers.IntegerField()
    low = serializers.IntegerField()
    high = serializers.IntegerField()
    preview = serializers.ListField(child=serializers.CharField())
    namespaces = serializers.DictField(
        child=serializers.IntegerField(), help_text="Of the preview, how many have one of each."
    )


@example(
    {
        "first": "seg_01m8m3bq8p4v0n5c2h7x9k6d1f",
        "second": "seg_01m8m3bq9c7r1w3t5y8u0j2g4s",
    }
)
class OverlapIn(StrictSerializer):
    """Two segments."""

    first = serializers.CharField(max_length=40)
    second = serializers.CharField(max_length=40)


class OverlapOut(serializers.Serializer[Any]):
    """How much two segments have in common, as of their last evaluation."""

    first = serializers.IntegerField()
    second = serializers.IntegerField()
    both = serializers.IntegerField()
    share = serializers.FloatField(help_text="Of all members of either, how many are in both.")


class MembersQuery(StrictSerializer):
    """Which members."""

    after = serializers.CharField(required=False, help_text="The last profile of the page before.")
    limit = serializers.IntegerField(
        default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT,
        help_text="How many results a page holds at most.",
    )  # fmt: skip
    attributes = serializers.BooleanField(
        default=False, help_text="Also what its rows or records say of each member."
    )


class MembersOut(serializers.Serializer[Any]):
    """A page of members; `next` is the last one's id, to go on after, or null at the end."""

    results = serializers.ListField(child=serializers.CharField())
    next = serializers.CharField(allow_null=True)
    attributes = serializers.DictField(
        child=serializers.DictField(),
        required=False,
        help_text="By profile, what rows of an upload or records of an enrichment say; if asked.",
    )


class VersionOut(serializers.ModelSerializer[SegmentVersion]):
    """A rule as it was."""

    class Meta:
        model = SegmentVersion
        fields = ("number", "rule", "actor_name", "created_at")


class SizeOut(serializers.ModelSerializer[SegmentSize]):
    """How large a segment was."""

    class Meta:
        model = SegmentSize
        fields = ("at", "size")


class HistoryOut(serializers.Serializer[Any]):
    """What the rule has been and how large the segment was, newest first."""

    versions = VersionOut(many=True)
    sizes = SizeOut(many=True)


@example({"segments": ["seg_01m8m3bq8p4v0n5c2h7x9k6d1f"]})
class SegmentJobIn(StrictSerializer):
    """Which segments to evaluate; all published ones if none is named."""

    segments = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, default=list, max_length=500
    )


class SegmentJobOut(serializers.ModelSerializer[Evaluation]):
    """An evaluation of everybody."""

    progress = serializers.SerializerMethodField()

    class Meta:
        model = Evaluation
        fields = (
            "id",
            "state",
            "reason",
            "schedule_id",
            "wanted",
            "asked",
            "at",
            "progress",
            "entered",
            "exited",
            "created_at",
            "ended_at",
        )
        extra_kwargs = {
            "wanted": {"help_text": "The segments that were named; empty stands for all."},
            "asked": {"help_text": "Those that are evaluated, with the version of their rules."},
        }

    def get_progress(self, evaluation: Evaluation) -> dict[str, int | None]:
        """Return for how many profiles the changes have been told, of how many."""
        return {"done": evaluation.told, "total": evaluation.total}
