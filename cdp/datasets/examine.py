"""Whether one record may be stored: pure judgement, no query."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cdp.datasets.enums import Operation
from cdp.datasets.records import Accepted, DatasetFacts, Received, Rejection
from cdp.errors import FieldError

OLDEST: Final = timedelta(days=3_652)
NEWEST: Final = timedelta(days=1)
# What a partial record cannot break: the fields that it leaves out.
_OF_WHOLE_RECORDS: Final = frozenset({"required"})


def examine(
    received: Received, dataset: DatasetFacts | None, *, now: datetime
) -> Accepted | Rejection:
    """Accept a record, with its id and time, or put it aside with every reason."""
    if dataset is None:
        return _aside(received, "dataset_id", "dataset_gone", "The dataset has been deleted.")
    if not isinstance(received.record, dict):
        return _aside(received, "", "not_an_object", "A record is a JSON object.")
    operation = _operation(received, dataset)
    if dataset.is_events and operation != Operation.CREATE:
        return _aside(received, "", "events_only_added", "Events can only be added.")
    record = _with_id(received, dataset)
    errors = [] if received.checked else _schema_errors(record, dataset, operation)
    if errors:
        return Rejection.of(received, errors)
    timestamp = _time_of(record) if dataset.is_events else received.received_at
    if timestamp is None or not now - OLDEST <= timestamp <= now + NEWEST:
        return _aside(
            received,
            "timestamp",
            "time_out_of_range",
            "An event's time lies within the last 10 years and not more than a day ahead.",
        )
    enabled_at = dataset.profile_enabled_at
    return Accepted(
        record=record if received.checked else dataset.schema.normalise(record),
        dataset=dataset,
        operation=operation,
        event_id=record["_id"] if dataset.is_events else "",
        timestamp=to_milliseconds(timestamp),
        received_at=received.received_at,
        receipt_id=received.receipt_id,
        position=received.position,
        batch_id=received.batch_id,
        profile=enabled_at is not None and received.received_at >= enabled_at,
        dedup_scope=received.dedup_scope or dataset.id,
        appended=received.appended,
    )


def lacks_id(received: Received, dataset: DatasetFacts | None) -> bool:
    """Tell whether the record is an event that came without an id of its own."""
    return dataset is not None and dataset.is_events and not received.record.get("_id")


def assigned_id(receipt_id: str, position: int) -> str:
    """Return the id of what came without one: the same each time the request is read."""
    return f"{receipt_id}-{position}"


def to_milliseconds(moment: datetime) -> datetime:
    """Cut a time to the precision that is stored.

    >>> to_milliseconds(datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)).microsecond
    678000
    """
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _operation(received: Received, dataset: DatasetFacts) -> str:
    if dataset.upsert and received.operation == Operation.CREATE:
        return Operation.MERGE
    return received.operation


def _with_id(received: Received, dataset: DatasetFacts) -> dict[str, Any]:
    record: dict[str, Any] = received.record
    if not lacks_id(received, dataset):
        return record
    return {**record, "_id": assigned_id(received.receipt_id, received.position)}


def _schema_errors(
    record: dict[str, Any], dataset: DatasetFacts, operation: str
) -> list[FieldError]:
    errors = dataset.schema.validate(record)
    if operation != Operation.CREATE:
        errors = [error for error in errors if error.code not in _OF_WHOLE_RECORDS]
    return [{"path": e.path, "code": e.code, "detail": e.detail} for e in errors]


def _time_of(record: dict[str, Any]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(record["timestamp"])
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _aside(received: Received, path: str, code: str, detail: str) -> Rejection:
    return Rejection.of(received, [{"path": path, "code": code, "detail": detail}])
