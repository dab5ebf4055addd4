"""Connections to sources, mapping sets, and the flows that bring rows in."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cdp.datasets.enums import FlowState, RunState, RunTrigger, Sink
from cdp.datasets.models.batches import Batch
from cdp.datasets.models.datasets import Dataset
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField


class Connection(SandboxModel):
    """The settings of one source; what is secret in them is kept encrypted."""

    id = PublicIdField(prefix="con")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=40)
    settings = models.JSONField()
    secrets = models.BinaryField()
    tested_at = models.DateTimeField(null=True, blank=True)
    test_result = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "name"], name="connection_name_unique"),
        )

    def __str__(self) -> str:
        return self.name


class MappingSet(SandboxModel):
    """Rules from foreign rows to the fields of a schema. A change makes a new version."""

    id = PublicIdField(prefix="map")
    name = models.CharField(max_length=200)
    schema = models.ForeignKey("schemas.Schema", on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "name"], name="mapping_set_name_unique"),
        )

    def __str__(self) -> str:
        return self.name


class MappingVersion(SandboxModel):
    """The rules of one version; never changed, so a flow always maps as it was told."""

    mapping_set = models.ForeignKey(MappingSet, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    rules = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mapping_set", "number"], name="mapping_version_unique"
            ),
        )

    def __str__(self) -> str:
        return f"{self.mapping_set} {self.number}"


class Flow(SandboxModel):
    """What is read from a connection, how it is mapped, where it goes, and when.

    `marker` is how far the source has been read *and stored*; it moves only when the
    batch of a run is stored. `next_run_at` is empty for a flow that runs only when told.
    """

    id = PublicIdField(prefix="flw")
    name = models.CharField(max_length=200)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="flows")
    selection = models.JSONField()
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="+")
    mapping_set = models.ForeignKey(
        MappingSet, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    mapping_version = models.PositiveIntegerField(null=True, blank=True)
    row_filter = models.TextField(blank=True)
    schedule = models.JSONField(default=dict, blank=True)
    backfill = models.BooleanField(default=True)
    partial_percent = models.FloatField(null=True, blank=True, default=5)
    state = models.CharField(max_length=8, choices=FlowState, default=FlowState.ENABLED)
    marker = models.JSONField(null=True, blank=True)
    started_from = models.DateTimeField(null=True, blank=True)
    next_run_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "name"], name="flow_name_unique"),
        )

    def __str__(self) -> str:
        return self.name


class FlowRun(SandboxModel):
    """One time that a flow reads its source."""

    id = PublicIdField(prefix="frn")
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="runs")
    trigger = models.CharField(max_length=8, choices=RunTrigger)
    state = models.CharField(max_length=10, choices=RunState, default=RunState.QUEUED)
    reason = models.TextField(blank=True)
    window_start = models.DateTimeField(null=True, blank=True)
    window_end = models.DateTimeField(null=True, blank=True)
    batch = models.ForeignKey(Batch, null=True, on_delete=models.SET_NULL, related_name="+")
    marker_before = models.JSONField(null=True)
    marker_after = models.JSONField(null=True)
    files = models.JSONField(default=list)
    input_bytes = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["flow", "-id"], name="flow_runs_newest"),)
        constraints = (
            models.UniqueConstraint(
                fields=["flow"],
                condition=models.Q(state__in=["queued", "reading", "storing", "retrying"]),
                name="flow_runs_one_at_a_time",
            ),
        )

    def __str__(self) -> str:
        return self.id


class LandedFile(SandboxModel):
    """A version of a file that a flow has read and stored, and never reads again.

    `key` is a hash of path and version, which may be long.
    """

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=64)
    path = models.TextField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["flow", "key"], name="landed_file_once"),)

    def __str__(self) -> str:
        return self.path


class ForwardingRule(SandboxModel):
    """What an inlet takes is also sent elsewhere, as it came in.

    A webhook has a `url`; other kinds have `settings`. What is secret is kept encrypted.
    """

    id = PublicIdField(prefix="fwd")
    name = models.CharField(max_length=200)
    inlet_ids = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    event_types = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    kind = models.CharField(max_length=8, choices=Sink, default=Sink.WEBHOOK)
    url = models.CharField(max_length=2_000, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    secrets = models.BinaryField()
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "name"], name="forwarding_name_unique"),
        )

    def __str__(self) -> str:
        return self.name
