"""A batch's records as lines for the event store."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from orjson import OPT_APPEND_NEWLINE, OPT_UTC_Z, dumps

from cdp.tenancy.models import Sandbox
from profiles.identity.rules import Identity
from profiles.ingest.people import Attributed, reference

_LINE: Final = OPT_APPEND_NEWLINE | OPT_UTC_Z
NOBODY: Final = 0  # the number of no identity and of no profile


@dataclass(frozen=True, slots=True)
class Origin:
    """What all lines of a batch have in common: whose they are, which batch, and when."""

    sandbox: Sandbox
    batch: UUID
    now: datetime


def event_line(
    origin: Origin,
    event: Attributed,
    numbers: Mapping[Identity, int],
    profile_of: Mapping[int, int],
) -> bytes:
    """Write one event, with its identity and whose that is now; nobody's if not for profiles."""
    record = event.record
    identity = NOBODY
    if record.profile and event.primary is not None:
        identity = numbers[event.primary]
    return dumps(
        {
            "sandbox_id": origin.sandbox.pk,
            "identity_id": identity,
            "ts": record.timestamp,
            "event_id": record.event_id,
            "event_type": record.record.get("eventType") or "",
            "dataset_id": record.dataset.id,
            "profile_id": profile_of[identity] if identity else NOBODY,
            "body": record.record,
            "ingested_at": origin.now,
            "batch_id": record.batch_id or record.receipt_id,
            "ingest_id": origin.batch,
        },
        option=_LINE,
    )


def record_line(origin: Origin, row: Attributed) -> bytes:
    """Write one row of a record dataset; its key is the identity it belongs to, or its own id."""
    record = row.record
    key = row.primary.value if row.primary else str(record.record.get("_id") or reference(record))
    return dumps(
        {
            "sandbox_id": origin.sandbox.pk,
            "dataset_id": record.dataset.id,
            "batch_id": record.batch_id or record.receipt_id,
            "key": key,
            "operation": record.operation,
            "ts": record.timestamp,
            "body": record.record,
            "ingested_at": origin.now,
            "ingest_id": origin.batch,
        },
        option=_LINE,
    )


def lines_of(rows: Iterable[dict[str, object]]) -> list[bytes]:
    """Write rows that are complete already."""
    return [dumps(row, option=_LINE) for row in rows]
