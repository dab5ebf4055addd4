"""Shapes of datasets, inlets, receipts and rejected records."""

from typing import Any

from django.conf import settings
from orjson import loads
from rest_framework import serializers

from cdp.api.serializers import StrictSerializer, example
from cdp.datasets.enums import Door, Fate
from cdp.datasets.models import Dataset, Inlet, Receipt, RejectedRecord
from cdp.datasets.seeing import RefusedRecords


class DatasetOut(serializers.ModelSerializer[Dataset]):
    """A dataset."""

    schema_title = serializers.CharField(source="schema.title", read_only=True)
    profile_enabled = serializers.BooleanField(read_only=True)

    class Meta:
        model = Dataset
        fields = (
            "id",
            "name",
            "description",
            "schema_id",
            "schema_title",
            "behavior",
            "profile_enabled",
            "profile_enabled_at",
            "identity_enabled",
            "upsert",
            "dedup_days",
            "retention_days",
            "tags",
            "labels",
            "field_labels",
            "system",
            "created_at",
            "updated_at",
        )


class DatasetPatch(StrictSerializer):
    """What can be changed of a dataset."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(required=False, allow_blank=True, max_length=5_000)
    profile_enabled = serializers.BooleanField(required=False)
    identity_enabled = serializers.BooleanField(required=False)
    dedup_days = serializers.IntegerField(required=False, min_value=1, max_value=730)
    retention_days = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=36_500
    )
    tags = serializers.DictField(
        required=False, child=serializers.ListField(child=serializers.CharField(max_length=200))
    )
    labels = serializers.ListField(required=False, child=serializers.CharField(max_length=64))
    field_labels = serializers.DictField(
        required=False, child=serializers.ListField(child=serializers.CharField(max_length=64))
    )


class DatasetIn(DatasetPatch):
    """A new dataset."""

    schema_id = serializers.CharField(max_length=255)
    upsert = serializers.BooleanField(required=False)


class InletOut(serializers.ModelSerializer[Inlet]):
    """An inlet, with the address that data is sent to."""

    dataset_ids = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = Inlet
        fields = (
            "id",
            "name",
            "door",
            "url",
            "dataset_ids",
            "requires_key",
            "enabled",
            "settings",
            "created_at",
            "updated_at",
        )

    def get_dataset_ids(self, inlet: Inlet) -> list[str]:
        return [route.dataset_id for route in inlet.routes.all()]

    def get_url(self, inlet: Inlet) -> str:
        path = {
            Door.XDM: f"/collection/{inlet.pk}",
            Door.SEGMENT: "/v1",
            Door.EDGE: f"/ee/v1/interact?configId={inlet.pk}",
        }[Door(inlet.door)]
        return f"{settings.PUBLIC_URL}{path}"


class InletPatch(StrictSerializer):
    """What can be changed of an inlet."""

    name = serializers.CharField(max_length=200)
    dataset_ids = serializers.ListField(
        child=serializers.CharField(max_length=40), min_length=1, max_length=50
    )
    requires_key = serializers.BooleanField(required=False)
    enabled = serializers.BooleanField(required=False)
    settings = serializers.DictField(required=False)


class InletIn(InletPatch):
    """A new inlet."""

    door = serializers.ChoiceField(choices=Door.choices)


class ReceiptOut(serializers.ModelSerializer[Receipt]):
    """The outcome of one accepted request."""

    class Meta:
        model = Receipt
        fields = (
            "id",
            "inlet_id",
            "batch_id",
            "received_at",
            "finished_at",
            "records",
            "stored",
            "duplicates",
            "rejected",
            "ids_assigned",
        )


class RecordFate(serializers.Serializer[Any]):
    """What became of one record of a request."""

    position = serializers.IntegerField()
    fate = serializers.ChoiceField(choices=Fate.choices)
    errors = serializers.ListField(  # type: ignore[assignment]  # a field, not its mistakes
        child=serializers.DictField(), required=False
    )
    rejected_record_id = serializers.CharField(required=False)


class ReceiptDetail(serializers.Serializer[Any]):
    """One request: settled, or still waiting in the queue."""

    id = serializers.CharField()
    state = serializers.ChoiceField(choices=["pending", "done", "stuck"])
    reason = serializers.CharField(help_text="Why it is stuck, else empty.")
    inlet_id = serializers.CharField()
    received_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    records = serializers.IntegerField()
    stored = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = serializers.IntegerField()
    ids_assigned = serializers.IntegerField()
    fates = RecordFate(many=True, help_text="The first 1,000 records in the order sent.")


class RejectedRecordOut(serializers.ModelSerializer[RejectedRecord]):
    """A record that was put aside."""

    record = serializers.SerializerMethodField(
        help_text="As it came; null if your roles lack a label of the dataset's fields."
    )
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]  # not its mistakes

    class Meta:
        model = RejectedRecord
        fields = (
            "id",
            "dataset_id",
            "receipt_id",
            "position",
            "batch_id",
            "operation",
            "record",
            "errors",
            "received_at",
            "replayed_at",
            "replay_receipt_id",
        )

    def get_record(self, row: RejectedRecord) -> Any:
        refused: RefusedRecords = self.context["refused"]
        return refused.record(row.dataset_id, loads(row.raw))

    def get_errors(self, row: RejectedRecord) -> list[dict[str, Any]]:
        refused: RefusedRecords = self.context["refused"]
        return refused.errors(row.dataset_id, row.errors)


@example({"ids": ["rej_01m8m3q1jr0n7s6ngwnpfsbjw5"]})
class ReplayIn(StrictSerializer):
    """Which rejected records to send again."""

    ids = serializers.ListField(
        child=serializers.CharField(max_length=40), min_length=1, max_length=1_000
    )


class ReplayOut(serializers.Serializer[Any]):
    """The receipts of records that were sent again."""

    receipt_ids = serializers.ListField(child=serializers.CharField())


class RowsQuery(StrictSerializer):
    """Which rows are wanted."""

    since = serializers.DateTimeField(required=False, help_text="From this time on.")
    until = serializers.DateTimeField(required=False, help_text="Before this time.")
    batch_id = serializers.CharField(
        required=False, max_length=40, help_text="Only what this batch brought."
    )
    key = serializers.CharField(
        required=False, max_length=1_000, help_text="Of a record dataset: the rows of one key."
    )
    current = serializers.BooleanField(
        default=False, help_text="Of a record dataset: only the latest row of each key."
    )
    limit = serializers.IntegerField(
        default=50, min_value=1, max_value=500, help_text="How many results a page holds at most."
    )
    cursor = serializers.CharField(required=False, help_text="Take it from `next`.")


class StoredRowOut(serializers.Serializer[Any]):
    """A row as it is stored; `key` is an event's id, or what identifies a record."""

    key = serializers.CharField()
    timestamp = serializers.DateTimeField()
    batch_id = serializers.CharField()
    ingested_at = serializers.DateTimeField()
    record = serializers.JSONField()


class RowsOut(serializers.Serializer[Any]):
    """A page of rows."""

    results = StoredRowOut(many=True)
    next = serializers.URLField(allow_null=True)


class StatsOut(serializers.Serializer[Any]):
    """How much a dataset holds; `keys` are the identities of events, or the records."""

    rows = serializers.IntegerField()
    keys = serializers.IntegerField()
    first = serializers.DateTimeField(allow_null=True)
    last = serializers.DateTimeField(allow_null=True)
    last_ingested = serializers.DateTimeField(allow_null=True)
    last_batch_id = serializers.CharField()
    last_batch_state = serializers.CharField()
