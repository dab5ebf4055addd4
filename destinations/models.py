"""Rows of destinations.

A delivery is a row before anything is sent, so that no change is forgotten when a
process dies; what is sent again carries the same ids, so that none counts twice.
"""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField
from cdp.tenancy.models import Sandbox
from cdp.tenancy.secrets import decrypt
from destinations.enums import ConnectionState, DeliveryState, RunState


class DestinationConnection(SandboxModel):
    """A place that segments are sent to, with its settings and what it uses data for.

    After a failure nothing is sent until `resting_until`, the longer the more
    failures there were in a row.
    """

    id = PublicIdField(prefix="dst")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=40, editable=False)
    settings = models.JSONField(default=dict, blank=True)
    secrets = models.BinaryField()
    marketing_actions = ArrayField(models.CharField(max_length=63), size=50, default=list)
    state = models.CharField(max_length=8, choices=ConnectionState, default=ConnectionState.ACTIVE)
    stopped_because = models.CharField(max_length=500, blank=True)
    failures = models.PositiveIntegerField(default=0)
    resting_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["sandbox", "name"], name="destination_connection_name_unique"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def secrets_set(self) -> list[str]:
        """The names of its secrets, which is all that is ever shown of them."""
        return sorted(decrypt(self.sandbox.organization, bytes(self.secrets)))

    @property
    def folder(self) -> str:
        """Where its files may go on the installation's own disk."""
        return f"{self.sandbox.organization_id}/{self.sandbox_id}"


class Activation(SandboxModel):
    """A segment that is sent to a connection, with what of each profile goes along.

    `refused_because` is set while a policy does not allow the use at run time.
    """

    id = PublicIdField(prefix="act")
    connection = models.ForeignKey(
        DestinationConnection, on_delete=models.PROTECT, related_name="activations"
    )
    segment = models.ForeignKey("segments.Segment", on_delete=models.PROTECT, related_name="+")
    mapping = models.JSONField(default=list, blank=True)
    enabled = models.BooleanField(default=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    refused_because = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["connection", "segment"], name="activation_once_for_each_connection"
            ),
            models.CheckConstraint(
                condition=models.Q(starts_at=None)
                | models.Q(ends_at=None)
                | models.Q(ends_at__gt=models.F("starts_at")),
                name="activation_ends_after_it_starts",
            ),
        )

    def __str__(self) -> str:
        return f"{self.segment_id} to {self.connection_id}"

    def is_live(self, at: datetime) -> bool:
        """Whether changes at that moment are sent."""
        started = self.starts_at is None or self.starts_at <= at
        return self.enabled and started and (self.ends_at is None or at < self.ends_at)


class ActivationRun(SandboxModel):
    """The deliveries of one window: an hour of a stream, or one file."""

    id = PublicIdField(prefix="run")
    activation = models.ForeignKey(Activation, on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(max_length=6, choices=RunState, default=RunState.OPEN)
    started_at = models.DateTimeField(default=timezone.now)
    closes_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    received = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    reference = models.CharField(max_length=500, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["activation"],
                condition=models.Q(state=RunState.OPEN),
                name="activation_has_one_open_run",
            ),
        )
        indexes = (models.Index(fields=["activation", "-id"], name="runs_newest"),)

    def __str__(self) -> str:
        return f"{self.activation_id} from {self.started_at:%Y-%m-%d %H:%M:%S}"

    @property
    def pending(self) -> int:
        """How many deliveries still wait."""
        return self.received - self.delivered - self.failed - self.refused


class Delivery(SandboxModel):
    """One change of one profile's membership on its way to one destination.

    `change` is the evaluation that found it. Without constraints on what it points
    at: rows are written in sets, and each would lock its sandbox's row.
    """

    id = models.BigAutoField(primary_key=True)
    sandbox = models.ForeignKey(
        Sandbox, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    activation = models.ForeignKey(
        Activation,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_constraint=False,
        db_index=False,
    )
    run = models.ForeignKey(
        ActivationRun,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_constraint=False,
        db_index=False,
    )
    profile_id = models.BigIntegerField()
    change = models.CharField(max_length=64)
    entered = models.BooleanField()
    at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=DeliveryState, default=DeliveryState.PENDING)
    batch = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=500, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = (
            models.UniqueConstraint(
                fields=["activation", "profile_id", "change"], name="delivery_once_for_each_change"
            ),
        )
        indexes = (
            models.Index(fields=["activation", "-id"], name="deliveries_newest"),
            models.Index(fields=["run", "id"], name="deliveries_of_run"),
            models.Index(
                fields=["activation", "profile_id", "id"],
                name="deliveries_pending",
                condition=models.Q(state=DeliveryState.PENDING),
            ),
        )

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        """Its id outside of here."""
        return f"dlv_{self.pk}"
