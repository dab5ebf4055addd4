"""Rows of segments. Who is a member stands with the profile (`Profile.segments`)."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField
from cdp.tenancy.models import Sandbox
from profiles.models import MergePolicy
from segments.enums import (
    EvaluationKind,
    EvaluationState,
    SegmentOrigin,
    SegmentState,
    UploadMode,
)


class Composition(SandboxModel):
    """Segments put together from others: one results, or one for each branch of a split.

    `version` grows with each change of the definition.
    """

    id = PublicIdField(prefix="cps")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    definition = models.JSONField()
    state = models.CharField(
        max_length=10, choices=SegmentState, default=SegmentState.DRAFT, editable=False
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "name"], name="composition_name_unique"),
        )

    def __str__(self) -> str:
        return self.name


class Segment(SandboxModel):
    """A rule that says who, and the state of its life.

    `references` are the segments that its rule asks for, `fields` the paths it names.
    `version` grows with each change of the rule. `size` is the number of members after
    the last evaluation. What a composition results in has a rule that it was compiled
    into; the rule of an upload asks for itself: who is in decide its rows.
    """

    id = PublicIdField(prefix="seg")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    origin = models.CharField(
        max_length=11, choices=SegmentOrigin, default=SegmentOrigin.RULE, editable=False
    )
    composition = models.ForeignKey(
        Composition, null=True, editable=False, on_delete=models.PROTECT, related_name="results"
    )
    branch = models.CharField(max_length=40, blank=True, editable=False)
    tags = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    rule = models.JSONField()
    references = ArrayField(models.CharField(max_length=40), default=list, editable=False)
    fields = ArrayField(models.CharField(max_length=500), default=list, editable=False)
    merge_policy = models.ForeignKey(
        MergePolicy, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="Empty for the sandbox's default policy.",
    )  # fmt: skip
    labels = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    on_edge = models.BooleanField(
        default=False, help_text="Its members' own browsers and apps are told of it."
    )
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
            models.UniqueConstraint(
                fields=["composition", "branch"],
                condition=models.Q(composition__isnull=False),
                name="segment_once_for_each_branch",
            ),
        )
        indexes = (models.Index(fields=["sandbox", "state"], name="segment_state"),)

    def __str__(self) -> str:
        return self.name


class LookUp(SandboxModel):
    """An entity that the rule of a segment looks up: its schema may grow, and cannot go."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="look_ups")
    schema = models.ForeignKey("schemas.Schema", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["segment", "schema"], name="look_up_unique"),
        )

    def __str__(self) -> str:
        return f"the segment {self.segment}"


class SegmentVersion(SandboxModel):
    """A rule as it was once, and who wrote it."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    rule = models.JSONField()
    actor_name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["segment", "number"], name="segment_version_unique"),
        )

    def __str__(self) -> str:
        return f"version {self.number}"


class SegmentSchedule(SandboxModel):
    """When segments are evaluated for everybody, besides whenever something happens.

    No `segments` means all that are published. `next_run_at` is empty while it is off,
    and after its only run.
    """

    id = PublicIdField(prefix="sgs")
    name = models.CharField(max_length=200)
    schedule = models.JSONField()
    segments = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    enabled = models.BooleanField(default=True)
    next_run_at = models.DateTimeField(null=True, editable=False)
    last_run_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "name"], name="segment_schedule_name"),
        )

    def __str__(self) -> str:
        return self.name


class Evaluation(SandboxModel):
    """One answering of rules: what it looked at, how far it is, and what it found.

    Of two that looked at a profile, the one with the higher `turn` knows better. One
    of touched profiles is made when it is over; `changes` are what it told and the
    event store has not been given yet. One of a whole sandbox takes long and holds
    nobody up: it compares what it `asked` (the version of each segment) with who was
    in, and tells the differences slice by slice, up to profile `told_to`.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    turn = models.BigIntegerField(null=True, editable=False)
    kind = models.CharField(max_length=8, choices=EvaluationKind)
    state = models.CharField(
        max_length=10, choices=EvaluationState, default=EvaluationState.DONE, editable=False
    )
    wanted = ArrayField(models.CharField(max_length=40), default=list, editable=False)
    schedule = models.ForeignKey(
        SegmentSchedule, null=True, editable=False, on_delete=models.SET_NULL, related_name="runs"
    )
    asked = models.JSONField(default=dict, editable=False)
    at = models.DateTimeField(help_text="The moment it answers for.")
    changes = models.BinaryField(null=True)
    entered = models.BigIntegerField(default=0)
    exited = models.BigIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    told_to = models.BigIntegerField(default=0, editable=False)
    total = models.BigIntegerField(
        null=True, editable=False, help_text="Profiles whose changes are told."
    )
    told = models.BigIntegerField(default=0, editable=False)
    cancel_wanted = models.BooleanField(default=False, editable=False)
    reason = models.TextField(blank=True, editable=False, help_text="Why it failed.")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["sandbox", "created_at"], name="evaluation_newest"),
            models.Index(
                fields=["sandbox", "turn"],
                name="evaluation_unsettled",
                condition=models.Q(changes__isnull=False),
            ),
            models.Index(
                fields=["sandbox"],
                name="evaluation_open",
                condition=~models.Q(state__in=("done", "cancelled", "failed")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M:%S}"


class Meanwhile(SandboxModel):
    """Profiles that others have looked at while a whole sandbox was being evaluated.

    They know better, so that evaluation leaves these to them.
    """

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="meanwhile")
    profiles = ArrayField(models.BigIntegerField())

    def __str__(self) -> str:
        return f"{len(self.profiles)} profiles"


class Recheck(SandboxModel):
    """A profile whose membership changes with time, and the earliest moment it can."""

    pk = models.CompositePrimaryKey("sandbox_id", "profile_id")
    # Written by the thousand: a constraint would lock the sandbox's row for each of them.
    sandbox = models.ForeignKey(
        Sandbox, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    profile_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["sandbox", "at"], name="recheck_of_sandbox"),)

    def __str__(self) -> str:
        return f"{self.profile_id} at {self.at:%Y-%m-%d %H:%M:%S}"


class Alarm(SandboxModel):
    """When a sandbox's rechecks are next looked at, and up to when they are all known."""

    at = models.DateTimeField()
    planned_to = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["sandbox"], name="alarm_one"),)

    def __str__(self) -> str:
        return f"at {self.at:%Y-%m-%d %H:%M:%S}"


class SegmentSize(SandboxModel):
    """How large a segment was at one time, for charts."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="sizes")
    at = models.DateTimeField()
    size = models.BigIntegerField()

    class Meta:
        indexes = (models.Index(fields=["segment", "at"], name="segment_size_by_time"),)

    def __str__(self) -> str:
        return f"{self.size} at {self.at:%Y-%m-%d %H:%M:%S}"


class Upload(SandboxModel):
    """What an uploaded segment reads from its files, and how long a row makes a member.

    `identities` are columns with the namespace of each; `attributes` are columns kept
    beside each membership, with type and labels.
    """

    segment = models.OneToOneField(
        Segment, primary_key=True, on_delete=models.CASCADE, related_name="upload"
    )
    identities = models.JSONField()
    attributes = models.JSONField(default=list, blank=True)
    ttl_days = models.PositiveIntegerField(default=30)

    def __str__(self) -> str:
        return f"rows of {self.segment_id}"


class UploadPart(SandboxModel):
    """The rows that one batch has brought to an uploaded segment.

    They count from when the batch is whole until they are too old or replaced; then
    they are `over`, and removed some at a time.
    """

    batch_id = models.CharField(max_length=40, primary_key=True)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts")
    mode = models.CharField(max_length=7, choices=UploadMode)
    stored_at = models.DateTimeField(null=True)
    over = models.BooleanField(default=False)
    rows = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["sandbox", "upload"],
                name="upload_part_counting",
                condition=models.Q(stored_at__isnull=False, over=False),
            ),
        )

    def __str__(self) -> str:
        return self.batch_id


class UploadRow(SandboxModel):
    """An identity that a file names, and what the file says beside it.

    Written by the hundred thousand: without constraints on what it points at.
    """

    id = models.BigAutoField(primary_key=True)
    sandbox = models.ForeignKey(
        Sandbox, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    batch_id = models.CharField(max_length=40)
    namespace = models.CharField(max_length=64)
    value = models.TextField()
    attributes = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["batch_id", "namespace", "value"], name="upload_row_once_in_a_batch"
            ),
        )
        indexes = (
            models.Index(fields=["value", "namespace"], name="upload_row_of_identity"),
            models.Index(fields=["batch_id", "id"], name="upload_row_of_batch"),
        )

    def __str__(self) -> str:
        return f"{self.namespace}:{self.value}"
