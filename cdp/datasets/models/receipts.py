"""What became of what came in."""

from django.db import models

from cdp.datasets.enums import Operation
from cdp.datasets.models.datasets import Dataset
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField
from cdp.tenancy.models import Sandbox


class Receipt(SandboxModel):
    """What became of one request that a door accepted; written when its records are settled.

    Until then the request is a row of the queue under the same id. `fates` has one
    letter for each record, in the order they were sent.
    """

    id = PublicIdField(prefix="rcp")
    sandbox = models.ForeignKey(Sandbox, models.CASCADE, related_name="+", db_index=False)
    inlet_id = models.CharField(max_length=40, blank=True)
    batch_id = models.CharField(max_length=40, blank=True)
    received_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    records = models.PositiveIntegerField()
    stored = models.PositiveIntegerField()
    duplicates = models.PositiveIntegerField()
    rejected = models.PositiveIntegerField()
    ids_assigned = models.PositiveIntegerField()
    fates = models.TextField()

    class Meta:
        indexes = (models.Index(fields=["sandbox", "-id"], name="receipt_newest"),)

    def __str__(self) -> str:
        return self.id


class RejectedRecord(SandboxModel):
    """A record that was put aside, as it came, with everything that is wrong with it.

    `raw` is text, not jsonb: what is put aside may hold what jsonb refuses.
    """

    id = PublicIdField(prefix="rej")
    sandbox = models.ForeignKey(Sandbox, models.CASCADE, related_name="+", db_index=False)
    receipt_id = models.CharField(max_length=40)
    position = models.PositiveIntegerField()
    batch_id = models.CharField(max_length=40, blank=True)
    dataset = models.ForeignKey(
        Dataset, models.CASCADE, null=True, related_name="+", db_index=False
    )
    operation = models.CharField(max_length=8, choices=Operation, default=Operation.CREATE)
    dedup_scope = models.CharField(max_length=40, blank=True)
    raw = models.TextField()
    errors = models.JSONField()
    received_at = models.DateTimeField()
    replayed_at = models.DateTimeField(null=True, blank=True)
    replay_receipt_id = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["sandbox", "receipt_id", "position"], name="rejected_record_once"
            ),
        )
        indexes = (
            models.Index(fields=["sandbox", "dataset", "-id"], name="rejected_by_dataset"),
            models.Index(fields=["sandbox", "batch_id"], name="rejected_by_batch"),
        )

    def __str__(self) -> str:
        return f"{self.receipt_id} #{self.position}"
