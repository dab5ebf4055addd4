"""Rows of jobs."""

from django.db import models

from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField


class Job(SandboxModel):
    """One piece of long work: who asked for what, how far it is, how it ended.

    `errors` tells of single items that went wrong, the first hundred of `failed`;
    `detail` says why the job as a whole did.
    """

    class State(models.TextChoices):
        """Where a job is: it only ever goes down this list."""

        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = PublicIdField(prefix="job")
    kind = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    params = models.JSONField(default=dict)
    result = models.JSONField(null=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    failed = models.BigIntegerField(default=0)
    errors = models.JSONField(default=list)
    detail = models.TextField(default="")
    actor = models.JSONField()
    runs = models.SmallIntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["sandbox", "-id"], name="job_newest"),
            models.Index(fields=["sandbox", "state", "-id"], name="job_state"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_finished(self) -> bool:
        """Tell whether the job has ended, in whatever way."""
        return self.state not in {self.State.QUEUED, self.State.RUNNING}
