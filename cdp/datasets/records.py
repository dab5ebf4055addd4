"""The one form that records take inside, whatever door they came through."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from cdp.errors import FieldError
from cdp.schemas.registry.validation import CompiledSchema

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a door knew of one request when it wrote the request down.

    `form` names the decoder of the body; `details` is what this decoder wants to know.
    """

    receipt_id: str
    form: str
    inlet_id: str
    received_at: datetime
    dataset_id: str = ""
    batch_id: str = ""
    details: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Received:
    """One record as it came, with the place it takes in its request.

    `dedup_scope` is what its `_id` is unique in, the dataset if empty. `checked` says
    that it has passed its schema before. `appended` are paths of arrays whose items are
    put behind those that are there already, where the record changes only what it names.
    """

    arrival: Arrival
    position: int
    record: Any
    dataset_id: str
    operation: str = "create"
    dedup_scope: str = ""
    checked: bool = False
    appended: tuple[str, ...] = ()

    @property
    def receipt_id(self) -> str:
        """Say which request it came in."""
        return self.arrival.receipt_id

    @property
    def batch_id(self) -> str:
        """Say which batch it belongs to; empty if none."""
        return self.arrival.batch_id

    @property
    def received_at(self) -> datetime:
        """Say when it came."""
        return self.arrival.received_at


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What ingestion must know of a dataset, read once for a batch."""

    id: str
    behavior: str
    schema_id: str
    schema: CompiledSchema
    profile_enabled_at: datetime | None
    identity_enabled: bool
    upsert: bool
    dedup_days: int

    @property
    def is_events(self) -> bool:
        """Tell whether rows are things that happened."""
        return self.behavior == "time-series"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A record that may be stored: mapped, valid, its numbers as the schema has them.

    `event_id` is empty for rows of record datasets. `timestamp` is when it
    happened; for those rows, when it came. `profile` is False if the dataset was
    not enabled for Profile when the record came in. `dedup_scope` is what the
    event's id is unique in, `appended` as in `Received`.
    """

    record: Json
    dataset: DatasetFacts
    operation: str
    event_id: str
    timestamp: datetime
    received_at: datetime
    receipt_id: str
    position: int
    batch_id: str
    profile: bool
    dedup_scope: str
    appended: tuple[str, ...] = ()

    @property
    def dataset_id(self) -> str:
        """Say where it will be stored."""
        return self.dataset.id


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that is put aside, with everything that is wrong with it."""

    receipt_id: str
    position: int
    dataset_id: str
    batch_id: str
    record: Any
    errors: Sequence[FieldError]
    received_at: datetime
    operation: str = "create"
    dedup_scope: str = ""

    @classmethod
    def of(cls, record: "Accepted | Received", errors: Sequence[FieldError]) -> Self:
        """Put aside a record that had come this far."""
        return cls(
            receipt_id=record.receipt_id,
            position=record.position,
            dataset_id=record.dataset_id,
            batch_id=record.batch_id,
            record=record.record,
            errors=errors,
            received_at=record.received_at,
            operation=record.operation,
            dedup_scope=record.dedup_scope,
        )
