"""Choices that more than one file needs."""

from django.db.models import TextChoices


class Behavior(TextChoices):
    """What a row of a dataset is: the present state of something, or something that happened."""

    RECORD = "record"
    TIME_SERIES = "time-series"


class Door(TextChoices):
    """The protocol that an inlet speaks."""

    XDM = "xdm", "XDM streaming messages"
    SEGMENT = "segment", "Segment-compatible trackers"
    EDGE = "edge", "Adobe Web SDK"


class Operation(TextChoices):
    """What a record does to what is known already.

    `create` replaces the dataset's fragment of the person, `merge` changes only
    the fields it names, `delete` takes the fragment away.
    """

    CREATE = "create"
    MERGE = "merge"
    DELETE = "delete"


class Fate(TextChoices):
    """What became of a record that a door accepted."""

    PENDING = "pending"
    STORED = "stored"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
