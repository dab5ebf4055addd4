"""Choices that more than one file needs."""

from typing import Final

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


class Sink(TextChoices):
    """What a forwarding rule sends to."""

    WEBHOOK = "webhook", "A signed request to a URL"
    KAFKA = "kafka", "A message for each record to a Kafka-compatible topic"


class Fate(TextChoices):
    """What became of a record that a door accepted."""

    PENDING = "pending"
    STORED = "stored"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class FileFormat(TextChoices):
    """The format of a batch's files."""

    JSON_LINES = "json", "JSON, a record a line"
    JSON_ARRAY = "json-array", "JSON, one array of records"
    CSV = "csv"
    PARQUET = "parquet"


class BatchState(TextChoices):
    """Where a batch is; its rows are visible from `processing` on and surely with `success`."""

    LOADING = "loading", "Files are being uploaded"
    LOADED = "loaded", "Complete, waits for its turn"
    STAGING = "staging", "All rows are being judged"
    PROCESSING = "processing", "Rows are being stored"
    RETRYING = "retrying", "Something was away; tried again soon"
    STALLED = "stalled", "Tried in vain; waits for a person"
    SUCCESS = "success", "Stored"
    FAILED = "failed", "Too many bad rows, or an unreadable file"
    ABORTED = "aborted", "Given up by the client"
    ABANDONED = "abandoned", "Never completed in time"
    REVERTING = "reverting", "Rows are being taken back"
    INACTIVE = "inactive", "Taken back"


OVER: Final = (
    BatchState.SUCCESS, BatchState.FAILED, BatchState.ABORTED,
    BatchState.ABANDONED, BatchState.INACTIVE,
)  # fmt: skip
"""States in which nobody works on a batch any more."""


class FlowState(TextChoices):
    """Whether a flow runs by its schedule."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class RunTrigger(TextChoices):
    """Why a run began."""

    SCHEDULE = "schedule"
    MANUAL = "manual"


class RunState(TextChoices):
    """Where a run is; a run that finds nothing new is a success."""

    QUEUED = "queued"
    READING = "reading", "The source is being read"
    STORING = "storing", "Its batch is being judged and stored"
    RETRYING = "retrying", "The source did not answer; tried again soon"
    SUCCESS = "success"
    PARTIAL = "partial", "Stored, with some bad rows put aside"
    FAILED = "failed"
    CANCELLED = "cancelled"
