"""Datasets."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from cdp.datasets.enums import Behavior
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField


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
