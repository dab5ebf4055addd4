"""Exports of profiles."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField
from profiles.enums import Compression, ExportFormat, ExportState, ExportTarget


class ProfileExport(SandboxModel):
    """Profiles that somebody hands out: whom, what of them, where to, and how far that is.

    `labels` are those of the data in it. `position` is the last profile that a dataset
    was given. `outdated` counts the people who were erased while the file was written:
    it is then written anew.
    """

    id = PublicIdField(prefix="pex")
    title = models.CharField(max_length=200, blank=True)
    target = models.CharField(max_length=8, choices=ExportTarget)
    dataset_id = models.CharField(max_length=40, blank=True)
    format = models.CharField(max_length=10, choices=ExportFormat, blank=True)
    compression = models.CharField(max_length=4, choices=Compression, default=Compression.NONE)
    parts = ArrayField(models.CharField(max_length=10), default=list)
    fields = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    merge_policy_id = models.CharField(max_length=40, blank=True)
    segments = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    segment_statuses = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    changed_since = models.DateTimeField(null=True, blank=True)
    events_since = models.DateTimeField(null=True, blank=True)
    event_types = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    marketing_actions = ArrayField(models.CharField(max_length=63), default=list, blank=True)
    labels = ArrayField(models.CharField(max_length=64), default=list, editable=False)
    state = models.CharField(
        max_length=12, choices=ExportState, default=ExportState.SUBMITTED, editable=False
    )
    detail = models.TextField(blank=True, editable=False)
    job_id = models.CharField(max_length=40, blank=True, editable=False)
    position = models.BigIntegerField(default=0, editable=False)
    outdated = models.PositiveIntegerField(default=0, editable=False)
    profiles = models.BigIntegerField(default=0, editable=False)
    size = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, editable=False)
    completed_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes = (
            models.Index(fields=["sandbox", "-id"], name="profile_export_newest"),
            models.Index(
                fields=["sandbox", "expires_at"],
                name="profile_export_kept",
                condition=models.Q(state=ExportState.COMPLETE),
            ),
        )

    def __str__(self) -> str:
        return self.title or self.pk

    @property
    def filename(self) -> str:
        """What its file is called when it is fetched."""
        ending = {"json_lines": "jsonl", "csv": "csv", "parquet": "parquet"}[self.format]
        is_packed = self.compression == Compression.GZIP and self.format != ExportFormat.PARQUET
        return f"{self.pk}.{ending}{'.gz' if is_packed else ''}"
