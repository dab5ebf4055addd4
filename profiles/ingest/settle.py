"""Phase 3: say what happened, and let go of the rows of the queue."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from orjson import loads

from cdp import queue
from cdp.datasets.ingestion import mark_rejected
from cdp.datasets.records import Rejection
from cdp.datasets.services.settling import reject, write_receipts
from cdp.queue import Message
from cdp.tenancy.models import Sandbox
from profiles.ingest.keys import give_back_keys
from profiles.ingest.payload import Payload
from profiles.ingest.refining import WorkedOut, refine
from profiles.ingest.store import Refused
from profiles.topics import PROFILES_CHANGED, PROFILES_EMPTIED

PROFILES_A_MESSAGE: Final = 5_000


def settle(
    sandbox: Sandbox, payload: Payload, refused: Sequence[Refused], worked_out: WorkedOut | None
) -> Payload | None:
    """Publish what changed and write the receipts, in the transaction that ends the batch.

    If computed attributes have other values now, return what the event store must be
    told first: the news then goes out with that.
    """
    rejections = _put_aside(sandbox, payload, refused)
    outcomes = list(payload.outcomes)
    mark_rejected(outcomes, rejections)
    write_receipts(sandbox, outcomes)
    if payload.emptied:
        queue.publish(PROFILES_EMPTIED, {"profiles": list(payload.emptied)}, sandbox=sandbox)
    refined = refine(sandbox, payload, worked_out) if worked_out else None
    if refined is None:
        publish_changed(sandbox, payload.changed, payload.vanished)
    return refined


def publish_changed(
    sandbox: Sandbox, changed: Sequence[int], vanished: Sequence[tuple[int, int]] = ()
) -> None:
    """Tell the apps above which profiles changed, and which have been taken over by whom."""
    slices = range(0, max(len(changed), len(vanished)), PROFILES_A_MESSAGE)
    queue.publish_many(
        PROFILES_CHANGED,
        [
            _message(
                changed[start : start + PROFILES_A_MESSAGE],
                vanished[start : start + PROFILES_A_MESSAGE],
            )
            for start in slices
        ],
        sandbox=sandbox,
    )


def _message(changed: Sequence[int], vanished: Sequence[tuple[int, int]]) -> Message:
    payload = {"profiles": list(changed), "vanished": [list(pair) for pair in vanished]}
    return Message(payload, count=len(changed))


def _put_aside(sandbox: Sandbox, payload: Payload, refused: Sequence[Refused]) -> list[Rejection]:
    """Keep what the store refused with its reason, and let its id be sent again."""
    aside = []
    for one in refused:
        origin = payload.origins[one.table][one.place]
        record = loads(payload.lines[one.table][one.place])["body"]
        aside.append((origin, _rejection(origin, record, one.detail)))
    if aside:
        reject(sandbox, [rejection for _, rejection in aside])
        give_back_keys(sandbox, [origin["key"] for origin, _ in aside if origin["key"]])
    return [rejection for _, rejection in aside]


def _rejection(origin: Mapping[str, Any], record: Any, detail: str) -> Rejection:
    return Rejection(
        receipt_id=origin["receipt"],
        position=origin["position"],
        dataset_id=origin["dataset"],
        batch_id=origin["batch"],
        record=record,
        errors=[{"path": "", "code": "store_refused", "detail": detail}],
        received_at=datetime.fromisoformat(origin["received_at"]),
        operation=origin["operation"],
        dedup_scope=origin["scope"],
    )
