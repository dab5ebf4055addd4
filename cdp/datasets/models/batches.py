"""Batches: files that become visible together or not at all."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cdp.datasets.enums import BatchState, FileFormat
from cdp.datasets.models.datasets import Dataset
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField


class Batch(SandboxModel):
    """Files for one dataset, or for whoever takes the rows instead (`registries.batch_takers`).

    All rows are judged before any is stored. Of more than `partial_percent` bad rows,
    or of any if that is empty, the whole batch fails. `replaces` names batches that
    become inactive when this one is stored, those of events just before: an event that is
    there already would be a duplicate. A replay reads the files of another batch.
    """

    id = PublicIdField(prefix="bat")
    dataset = models.ForeignKey(Dataset, null=True, on_delete=models.CASCADE, related_name="+")
    taker = models.CharField(max_length=40, blank=True, editable=False)
    external_id = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=12, choices=BatchState, default=BatchState.LOADING)
    input_format = models.CharField(max_length=10, choices=FileFormat)
    format_options = models.JSONField(default=dict, blank=True)
    partial_percent = models.FloatField(null=True, blank=True)
    error_diagnostics = models.BooleanField(default=True)
    tags = models.JSONField(default=dict, blank=True)
    replaces = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    files_of = models.CharField(max_length=40, blank=True)
    mapping_set_id = models.CharField(max_length=40, blank=True)
    mapping_version = models.PositiveIntegerField(null=True, blank=True)
    row_filter = models.TextField(blank=True)
    flow_run_id = models.CharField(max_length=40, blank=True)
    errors = models.JSONField(default=list, blank=True)
    reason = models.TextField(blank=True)
    input_files = models.PositiveIntegerField(default=0)
    input_bytes = models.PositiveBigIntegerField(default=0)
    input_records = models.PositiveBigIntegerField(default=0)
    failed_records = models.PositiveBigIntegerField(default=0)
    stored_records = models.PositiveBigIntegerField(default=0)
    duplicate_records = models.PositiveBigIntegerField(default=0)
    chunks = models.PositiveIntegerField(default=0)
    chunks_published = models.PositiveIntegerField(default=0)
    chunks_stored = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "batches"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(dataset__isnull=False, taker="")
                | (models.Q(dataset__isnull=True) & ~models.Q(taker="")),
                name="batch_has_one_taker",
            ),
        )
        indexes = (
            models.Index(fields=["sandbox", "dataset", "-id"], name="batch_of_dataset"),
            models.Index(
                fields=["state", "updated_at"],
                name="batch_loading",
                condition=models.Q(state="loading"),
            ),
        )

    def __str__(self) -> str:
        return self.external_id or self.id


class BatchFile(SandboxModel):
    """A file of a batch, uploaded at once or in pieces.

    `name` is the client's and only shown; where the bytes lie follows from the ids.
    `pieces` are the [start, end) of what has come, in the order of coming.
    """

    id = PublicIdField(prefix="fil")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=255)
    pieces = models.JSONField(default=list)
    size = models.PositiveBigIntegerField(default=0)
    complete = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["batch", "name"], name="batch_file_name_unique"),
        )

    def __str__(self) -> str:
        return self.name
