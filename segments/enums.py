"""Choices used in more than one file."""

from django.db import models


class SegmentState(models.TextChoices):
    """The life of a segment. There is no way back to draft: copy it instead."""

    DRAFT = "draft"
    PUBLISHED = "published"
    INACTIVE = "inactive"


class EvaluationKind(models.TextChoices):
    """What brought an evaluation about."""

    FULL = "full", "everybody, under all published segments"
    TOUCHED = "touched", "profiles that have changed"
    DUE = "due", "profiles whose answer changes with time"
