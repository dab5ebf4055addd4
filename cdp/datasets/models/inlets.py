"""Inlets and the datasets that they write to."""

from django.core.exceptions import ValidationError
from django.db import models

from cdp.datasets.enums import Door
from cdp.datasets.models.datasets import Dataset
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField


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
