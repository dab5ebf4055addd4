"""A batch's records as lines for the event store."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from orjson import OPT_APPEND_NEWLINE, OPT_UTC_Z, dumps

from cdp.tenancy.models import Sandbox
from profiles.identity.rules import Identity
from profiles.ingest.people import Attributed, reference

_LINE: Final = OPT_APPEND_NEWLINE | OPT_UTC_Z
NOBODY: Final = 0  # the number of no identity and of no profile


def event_line(
    sandbox: Sandbox,
    event: Attributed,
    numbers: Mapping[Identity, int],
    profile_of: Mapping[int, int],
    now: datetime,
) -> bytes:
    """Write one event, with its identity and whose that is now; nobody's if not for profiles."""
    record = event.record
    identity = NOBODY
    if record.profile and event.primary is not None:
        identity = numbers[event.primary]
    return dumps(
        {
            "sandbox_id": sandbox.pk,
            "identity_id": identity,
            "ts": record.timestamp,
            "event_id": record.event_id,
            "event_type": record.record.get("eventType") or "",
            "dataset_id": record.dataset.id,
            "profile_id": profile_of[identity] if identity else NOBODY,
            "body": record.record,
            "ingested_at": now,
            "batch_id": record.batch_id or record.receipt_id,
        },
        option=_LINE,
    )


def record_line(sandbox: Sandbox, row: Attributed, now: datetime) -> bytes:
    """Write one row of a record dataset; its key is the identity it belongs to, or its own id."""
    record = row.record
    key = row.primary.value if row.primary else str(record.record.get("_id") or reference(record))
    return dumps(
        {
            "sandbox_id": sandbox.pk,
            "dataset_id": record.dataset.id,
            "batch_id": record.batch_id or record.receipt_id,
            "key": key,
            "ts": record.timestamp,
            "body": record.record,
            "ingested_at": now,
        },
        option=_LINE,
    )


def lines_of(rows: Iterable[dict[str, object]]) -> list[bytes]:
    """Write rows that are complete already."""
    return [dumps(row, option=_LINE) for row in rows]
