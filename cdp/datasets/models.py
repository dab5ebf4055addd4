"""Rows of datasets."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from cdp.datasets.enums import Behavior, Door, Operation
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField
from cdp.tenancy.models import Sandbox


class Dataset(SandboxModel):
    """A place for rows of one schema.

    `behavior` is the schema's, kept here because a schema's class never changes.
    `profile_enabled_at` is empty while the dataset is not enabled for Profile; what
    came in before that moment never reaches a profile.
    """

    id = PublicIdField(prefix="ds")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    schema = models.ForeignKey("schemas.Schema", on_delete=models.PROTECT, related_name="+")
    behavior = models.CharField(max_length=12, choices=Behavior, editable=False)
    profile_enabled_at = models.DateTimeField(null=True, blank=True)
    identity_enabled = models.BooleanField(
        default=False, help_text="Its identities join the graph even if Profile is not enabled."
    )
    upsert = models.BooleanField(
        default=False, help_text="A new row changes only the fields it names."
    )
    dedup_days = models.PositiveSmallIntegerField(
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(730)],
        help_text="An event sent again within so many days is counted once.",
    )
    retention_days = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    tags = models.JSONField(default=dict, blank=True)
    labels = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    field_labels = models.JSONField(default=dict, blank=True)
    system = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "name"], name="dataset_name_unique"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def profile_enabled(self) -> bool:
        """Tell whether new rows reach profiles."""
        return self.profile_enabled_at is not None

    def clean(self) -> None:
        if self.upsert and self.behavior == Behavior.TIME_SERIES:
            raise ValidationError(
                {"upsert": "Events are only added. Upsert is for datasets of a record class."}
            )


class Inlet(SandboxModel):
    """An address that data is sent to. It says which protocol is spoken and where rows go."""

    id = PublicIdField(prefix="inl")
    name = models.CharField(max_length=200)
    door = models.CharField(max_length=8, choices=Door)
    requires_key = models.BooleanField(default=True)
    enabled = models.BooleanField(default=True)
    settings = models.JSONField(default=dict, blank=True)
    datasets = models.ManyToManyField(Dataset, through="InletDataset", related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "name"], name="inlet_name_unique"),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.door == Door.SEGMENT and not self.requires_key:
            raise ValidationError(
                {"requires_key": "Trackers say where they belong by their write key alone."}
            )
        if self.door == Door.EDGE and self.requires_key:
            raise ValidationError({"requires_key": "The Web SDK has no write key to send."})


class InletDataset(SandboxModel):
    """A dataset that an inlet may write to; the first of each behavior is the default."""

    inlet = models.ForeignKey(Inlet, on_delete=models.CASCADE, related_name="routes")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["inlet", "dataset"], name="inlet_dataset_unique"),
        )

    def __str__(self) -> str:
        return f"{self.inlet_id} -> {self.dataset_id}"


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
