"""Shapes of source types, connections and flows."""

from typing import Any

from rest_framework import serializers

from cdp.api.serializers import StrictSerializer
from cdp.datasets.enums import FlowState
from cdp.datasets.models import Connection, Flow, FlowRun


class MarkerField(serializers.JSONField):
    """How far a flow has read; who stood at that point is our own matter."""

    def to_representation(self, value: Any) -> Any:
        return {"value": value["value"]} if value else None


class SourceTypeOut(serializers.Serializer[Any]):
    """A kind of source, with JSON Schemas of what it wants to know."""

    kind = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    category = serializers.CharField()
    latency = serializers.CharField(help_text="How old rows are when they arrive.")
    settings_schema = serializers.DictField()
    selection_schema = serializers.DictField()


class SourceConnectionOut(serializers.ModelSerializer[Connection]):
    """A connection; its secrets never come back."""

    class Meta:
        model = Connection
        fields = (
            "id",
            "name",
            "description",
            "kind",
            "settings",
            "tested_at",
            "test_result",
            "created_at",
            "updated_at",
        )


class SourceConnectionPatch(StrictSerializer):
    """What can be changed of a connection."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(required=False, allow_blank=True, max_length=5_000)
    settings = serializers.DictField(
        help_text="By the source type's schema; a change is merged, null takes a setting away."
    )


class SourceConnectionIn(SourceConnectionPatch):
    """A new connection."""

    kind = serializers.CharField(max_length=40)


class TestOut(serializers.Serializer[Any]):
    """What a connection's source answered."""

    result = serializers.CharField()


class ExploreQuery(StrictSerializer):
    """Where to look."""

    path = serializers.CharField(default="", allow_blank=True, max_length=2_000)


class EntryOut(serializers.Serializer[Any]):
    """Something that can be looked into or read."""

    kind = serializers.ChoiceField(choices=["folder", "table", "file"])
    name = serializers.CharField()
    path = serializers.CharField()
    size = serializers.IntegerField(allow_null=True)
    modified = serializers.DateTimeField(allow_null=True)


class ExploreOut(serializers.Serializer[Any]):
    """What there is."""

    results = EntryOut(many=True)


class SelectionIn(StrictSerializer):
    """What to read."""

    selection = serializers.DictField(help_text="By the source type's selection schema.")


class ColumnOut(serializers.Serializer[Any]):
    """A column."""

    name = serializers.CharField()
    type = serializers.CharField()


class SampleOut(serializers.Serializer[Any]):
    """Columns and the first hundred rows."""

    columns = ColumnOut(many=True)
    rows = serializers.ListField(child=serializers.DictField())


class FlowOut(serializers.ModelSerializer[Flow]):
    """A flow."""

    marker = MarkerField(
        allow_null=True, help_text="The delta column's value up to which all is stored."
    )

    class Meta:
        model = Flow
        fields = (
            "id",
            "name",
            "connection_id",
            "selection",
            "dataset_id",
            "mapping_set_id",
            "mapping_version",
            "row_filter",
            "schedule",
            "backfill",
            "partial_percent",
            "state",
            "marker",
            "next_run_at",
            "created_at",
            "updated_at",
        )


class FlowPatch(StrictSerializer):
    """What can be changed of a flow."""

    name = serializers.CharField(max_length=200)
    connection_id = serializers.CharField(max_length=40)
    selection = serializers.DictField()
    mapping_set_id = serializers.CharField(required=False, allow_null=True, max_length=40)
    mapping_version = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    row_filter = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=4_000,
        help_text="An expression; only rows for which it is true are taken.",
    )
    schedule = serializers.DictField(
        required=False,
        help_text='{"cron": "0 6 * * *"}, {"every": 15, "unit": "minute"}; `start_at` if wanted. '
        "Empty: only when told.",
    )
    partial_percent = serializers.FloatField(
        required=False, allow_null=True, min_value=0, max_value=100
    )
    state = serializers.ChoiceField(choices=FlowState.choices, required=False)


class FlowIn(FlowPatch):
    """A new flow."""

    dataset_id = serializers.CharField(max_length=40)
    backfill = serializers.BooleanField(
        default=True, help_text="Whether the first run takes all that is there already."
    )


class RunIn(StrictSerializer):
    """What to read: everything new, or a window of time."""

    window_start = serializers.DateTimeField(required=False, allow_null=True)
    window_end = serializers.DateTimeField(required=False, allow_null=True)


class FlowRunOut(serializers.ModelSerializer[FlowRun]):
    """A run, with what it brought."""

    input_files = serializers.SerializerMethodField()
    input_records = serializers.SerializerMethodField()
    stored_records = serializers.SerializerMethodField()
    failed_records = serializers.SerializerMethodField()
    marker_before = MarkerField(allow_null=True)
    marker_after = MarkerField(allow_null=True)

    class Meta:
        model = FlowRun
        fields = (
            "id",
            "flow_id",
            "trigger",
            "state",
            "reason",
            "window_start",
            "window_end",
            "batch_id",
            "input_files",
            "input_bytes",
            "input_records",
            "stored_records",
            "failed_records",
            "marker_before",
            "marker_after",
            "created_at",
            "started_at",
            "completed_at",
        )

    def get_input_files(self, run: FlowRun) -> int:
        return run.batch.input_files if run.batch else 0

    def get_input_records(self, run: FlowRun) -> int:
        return run.batch.input_records if run.batch else 0

    def get_stored_records(self, run: FlowRun) -> int:
        return run.batch.stored_records if run.batch else 0

    def get_failed_records(self, run: FlowRun) -> int:
        return run.batch.failed_records if run.batch else 0
