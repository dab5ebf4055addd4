"""Work under way, and what must not be done twice: batches, requests, keys."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField
from profiles.enums import DeletionKind, PrivacyAction, Regulation, WorkState
from profiles.models.unchecked import unchecked_sandbox


class EventKey(SandboxModel):
    """The hash of an event's id, kept so that the event counts once if it is sent again.

    Partitioned by the month of arrival; whole months are dropped (`ingest/months.py`).
    """

    pk = models.CompositePrimaryKey("hash", "month")
    sandbox = unchecked_sandbox()
    month = models.DateField()
    hash = models.UUIDField()

    def __str__(self) -> str:
        return str(self.hash)


class IngestBatch(SandboxModel):
    """Records that have been decided on, on their way into the event store.

    Made in the transaction that decides; gone when the store has everything and
    the news is out. Whoever finds one left over goes on from here, with the same
    rows under the same token.
    """

    id = models.UUIDField(primary_key=True)
    items = ArrayField(models.BigIntegerField(), help_text="Rows of the queue that it covers.")
    published = models.BooleanField(default=False)
    payload = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "ingest batches"
        indexes = (models.Index(fields=["sandbox", "created_at"], name="ingest_batch_open"),)

    def __str__(self) -> str:
        return str(self.pk)


class Suppression(SandboxModel):
    """The hash of an identity that was erased: what it did before then never comes in again."""

    sandbox = unchecked_sandbox()
    hash = models.UUIDField(primary_key=True)
    erased_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["sandbox"], name="suppression_of_sandbox"),)

    def __str__(self) -> str:
        return str(self.hash)


class PrivacyJob(SandboxModel):
    """A person's request to see or to erase what is held on her.

    Once it has erased her, the request itself does not know her any more: `identities`
    and `profiles` are emptied and `user_key`, if it named her, too.
    """

    id = PublicIdField(prefix="prv")
    action = models.CharField(max_length=8, choices=PrivacyAction)
    regulation = models.CharField(max_length=16, choices=Regulation)
    user_key = models.CharField(max_length=200, blank=True)
    identities = models.JSONField(default=list)
    profiles = ArrayField(models.BigIntegerField(), default=list, blank=True)
    expand = models.BooleanField(default=True)
    state = models.CharField(
        max_length=12, choices=WorkState, default=WorkState.SUBMITTED, editable=False
    )
    receipts = models.JSONField(default=dict, editable=False)
    job_id = models.CharField(max_length=40, blank=True, editable=False)
    detail = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes = (models.Index(fields=["sandbox", "-id"], name="privacy_job_newest"),)

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"


class DeletionOrder(SandboxModel):
    """An order to delete profiles, rows of identities, or what a dataset says of anybody.

    `identities` is emptied when the order has been carried out.
    """

    id = PublicIdField(prefix="del")
    kind = models.CharField(max_length=8, choices=DeletionKind)
    title = models.CharField(max_length=200, blank=True)
    dataset_id = models.CharField(max_length=40, blank=True)
    profiles = ArrayField(models.BigIntegerField(), default=list, blank=True)
    identities = models.JSONField(default=list)
    count = models.PositiveIntegerField(default=0)
    state = models.CharField(
        max_length=12, choices=WorkState, default=WorkState.SUBMITTED, editable=False
    )
    receipts = models.JSONField(default=dict, editable=False)
    job_id = models.CharField(max_length=40, blank=True, editable=False)
    detail = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes = (models.Index(fields=["sandbox", "kind", "-id"], name="deletion_newest"),)

    def __str__(self) -> str:
        return self.title or f"{self.kind} {self.pk}"
