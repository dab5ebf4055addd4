"""Choices used in more than one file."""

from django.db import models


class SegmentState(models.TextChoices):
    """The life of a segment. There is no way back to draft: copy it instead."""

    DRAFT = "draft"
    PUBLISHED = "published"
    INACTIVE = "inactive"


class SegmentOrigin(models.TextChoices):
    """What decides who is in a segment."""

    RULE = "rule"
    COMPOSITION = "composition"
    UPLOAD = "upload"


class UploadMode(models.TextChoices):
    """What the rows of a new file do to those of earlier ones."""

    REPLACE = "replace"
    ADD = "add"


class EvaluationKind(models.TextChoices):
    """What brought an evaluation about."""

    FULL = "full", "everybody, under all published segments"
    TOUCHED = "touched", "profiles that have changed"
    DUE = "due", "profiles whose answer changes with time"


class EvaluationState(models.TextChoices):
    """How far an evaluation of a whole sandbox is."""

    WAITING = "waiting"
    SCANNING = "scanning"
    COMPARING = "comparing"  # what it found is compared with who was in
    TELLING = "telling"  # what it changes is told, slice by slice
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"  # it would cost too much; memberships are as they were


OPEN = (
    EvaluationState.WAITING,
    EvaluationState.SCANNING,
    EvaluationState.COMPARING,
    EvaluationState.TELLING,
)
