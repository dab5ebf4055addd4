"""Rows of segments. Who is a member stands with the profile (`Profile.segments`)."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField
from profiles.models import MergePolicy
from segments.enums import EvaluationKind, SegmentState


class Segment(SandboxModel):
    """A rule that says who, and the state of its life.

    `references` are the segments that its rule asks for. `version` grows with each
    change of the rule. `size` is the number of members after the last evaluation.
    """

    id = PublicIdField(prefix="seg")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    rule = models.JSONField()
    references = ArrayField(models.CharField(max_length=40), default=list, editable=False)
    merge_policy = models.ForeignKey(
        MergePolicy, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="Empty for the sandbox's default policy.",
    )  # fmt: skip
    labels = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    state = models.CharField(
        max_length=10, choices=SegmentState, default=SegmentState.DRAFT, editable=False
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    size = models.BigIntegerField(default=0, editable=False)
    evaluated_at = models.DateTimeField(null=True, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "name"], name="segment_name_unique"),
        )
        indexes = (models.Index(fields=["sandbox", "state"], name="segment_state"),)

    def __str__(self) -> str:
        return self.name


class Evaluation(SandboxModel):
    """One answering of rules, and what it found, until the event store has it too.

    Made in the transaction that writes the members down and publishes the changes.
    `changes` are kept compressed and cleared once `settled_at` is set.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    # One sequence for all tells in which order changes were written down.
    number = models.BigIntegerField(editable=False)
    kind = models.CharField(max_length=8, choices=EvaluationKind)
    at = models.DateTimeField(help_text="The moment it answers for.")
    changes = models.BinaryField(default=bytes)
    entered = models.BigIntegerField(default=0)
    exited = models.BigIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["sandbox", "number"], name="evaluation_newest"),
            models.Index(
                fields=["sandbox", "number"],
                name="evaluation_unsettled",
                condition=models.Q(settled_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M:%S}"


class Recheck(SandboxModel):
    """A profile whose membership changes with time, and the earliest moment it can."""

    pk = models.CompositePrimaryKey("sandbox_id", "profile_id")
    profile_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["at"], name="recheck_due"),)

    def __str__(self) -> str:
        return f"{self.profile_id} at {self.at:%Y-%m-%d %H:%M:%S}"
