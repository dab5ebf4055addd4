"""What became of what a door accepted: settled, or still in the queue."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cdp.datasets.decoding import arrival_of
from cdp.datasets.enums import Fate
from cdp.datasets.errors import ReceiptUnknown
from cdp.datasets.models import Receipt, RejectedRecord
from cdp.datasets.seeing import RefusedRecords
from cdp.datasets.topics import RECORDS_RECEIVED
from cdp.queue.models import QueueItem
from cdp.tenancy.models import Sandbox

MOST_SHOWN: Final = 1_000
_DIGITS: Final = 9
_FATES: Final = {"s": Fate.STORED, "d": Fate.DUPLICATE, "r": Fate.REJECTED}


@dataclass(frozen=True, slots=True)
class ReceiptState:
    """One request as it stands now. `stuck` is work that was put aside; `reason` says why."""

    id: str
    state: str
    inlet_id: str
    received_at: datetime
    records: int
    reason: str = ""
    finished_at: datetime | None = None
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    ids_assigned: int = 0
    fates: list[dict[str, Any]] = field(default_factory=list)


def get_receipt(sandbox: Sandbox, given_id: str, refused: RefusedRecords) -> ReceiptState:
    """Return what became of a request, or of one record of it (`rcp_...-3`).

    Raises `ReceiptUnknown`; receipts are kept for 30 days.
    """
    receipt_id, _, position = given_id.partition("-")
    only = int(position) if position.isdecimal() and len(position) <= _DIGITS else None
    receipts = Receipt.objects.for_sandbox(sandbox).filter(pk=receipt_id)
    if (settled := receipts.first()) is not None:
        return _settled(sandbox, settled, only, refused)
    if (waiting := _find_waiting(sandbox, receipt_id)) is not None:
        return _waiting(waiting, refused)
    if (settled := receipts.first()) is not None:  # while we looked at the queue
        return _settled(sandbox, settled, only, refused)
    raise ReceiptUnknown(f"There is no receipt '{given_id}'. They are kept for 30 days.")


def _find_waiting(sandbox: Sandbox, receipt_id: str) -> QueueItem | None:
    rows = QueueItem.objects.for_sandbox(sandbox).filter(key=receipt_id, topic=RECORDS_RECEIVED)
    return rows.defer("body").first()


def _settled(
    sandbox: Sandbox, receipt: Receipt, only: int | None, refused: RefusedRecords
) -> ReceiptState:
    positions = range(min(len(receipt.fates), MOST_SHOWN)) if only is None else [only]
    aside = {
        row.position: row
        for row in RejectedRecord.objects.for_sandbox(sandbox)
        .filter(receipt_id=receipt.pk, position__in=list(positions))
        .defer("raw")
    }
    return ReceiptState(
        id=receipt.pk,
        state="done",
        inlet_id=receipt.inlet_id,
        received_at=receipt.received_at,
        finished_at=receipt.finished_at,
        records=receipt.records,
        stored=receipt.stored,
        duplicates=receipt.duplicates,
        rejected=receipt.rejected,
        ids_assigned=receipt.ids_assigned,
        fates=[
            _fate(position, receipt.fates[position], aside.get(position), refused)
            for position in positions
            if position < len(receipt.fates)
        ],
    )


def _fate(
    position: int, letter: str, aside: RejectedRecord | None, refused: RefusedRecords
) -> dict[str, Any]:
    fate: dict[str, Any] = {"position": position, "fate": _FATES[letter]}
    if aside is not None:
        errors = refused.errors(aside.dataset_id, aside.errors)
        fate |= {"errors": errors, "rejected_record_id": aside.pk}
    return fate


def _waiting(item: QueueItem, refused: RefusedRecords) -> ReceiptState:
    arrival = arrival_of(item)
    return ReceiptState(
        id=arrival.receipt_id,
        state="stuck" if item.buried_at else "pending",
        reason=refused.detail(None, item.error) if item.buried_at else "",
        inlet_id=arrival.inlet_id,
        received_at=arrival.received_at,
        records=item.count,
        fates=[
            {"position": position, "fate": Fate.PENDING}
            for position in range(min(item.count, MOST_SHOWN))
        ],
    )
