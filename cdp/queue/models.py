"""Rows of the queue."""

from django.db import models

from cdp.tenancy.base import SandboxModel
from cdp.tenancy.models import Sandbox

PREFIX = "item_"


class QueueItem(SandboxModel):
    """A piece of work: waiting, claimed or buried.

    `available_at` is the moment from which anybody may claim the row. A claim moves
    it to the end of its lease and a retry to the end of the pause, so a row whose
    worker has died comes back by itself. `count` is the number of records inside,
    `attempts` how often a handler has failed with the row, `deaths` how many workers
    in succession were never heard of again.
    """

    # Without a constraint: publishing would lock the sandbox's row thousands of times a second.
    sandbox = models.ForeignKey(
        Sandbox, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    topic = models.CharField(max_length=64)
    key = models.CharField(max_length=80, null=True)
    payload = models.JSONField()
    body = models.BinaryField(null=True)
    count = models.IntegerField(default=1)
    created_at = models.DateTimeField()
    available_at = models.DateTimeField()
    claim = models.UUIDField(null=True)
    attempts = models.SmallIntegerField(default=0)
    deaths = models.SmallIntegerField(default=0)
    error = models.TextField(default="")
    buried_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["topic", "sandbox", "available_at", "id"],
                name="queue_waiting",
                condition=models.Q(buried_at=None),
            ),
            models.Index(
                fields=["topic", "sandbox", "claim"],
                name="queue_claimed",
                condition=models.Q(claim__isnull=False),
            ),
            models.Index(
                fields=["sandbox", "key"], name="queue_key", condition=models.Q(key__isnull=False)
            ),
            models.Index(
                fields=["sandbox", "id"],
                name="queue_buried",
                condition=models.Q(buried_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.topic} {self.public_id}"

    @property
    def public_id(self) -> str:
        """Return the id that people are told."""
        return f"{PREFIX}{self.pk}"


class PeriodicRun(models.Model):
    """When a piece of periodic work is due next; the installation's own, no tenant's.

    While somebody does it, `due_at` is the end of that one's lease.
    """

    name = models.CharField(max_length=80, primary_key=True)
    due_at = models.DateTimeField()
    runner = models.UUIDField(null=True)

    def __str__(self) -> str:
        return f"{self.name} at {self.due_at:%Y-%m-%d %H:%M:%S}"
