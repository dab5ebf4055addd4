"""What the ingest worker asks of datasets: rows of the queue in, judged records out.

The worker calls `prepare`, stores what was accepted, keeps the `outcomes` with its
batch, and when everything is stored settles them (`services.settling`). Nothing here
writes, and everything takes a whole claim at once.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypedDict

from cdp.datasets import selectors
from cdp.datasets.decoding import Known, QueueRow, arrival_of, decode
from cdp.datasets.examine import examine, lacks_id
from cdp.datasets.records import Accepted, Arrival, Received, Rejection
from cdp.tenancy.models import Sandbox

STORED: Final = "s"
DUPLICATE: Final = "d"
REJECTED: Final = "r"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A claim's records, judged; `ids_assigned` counts by request those that had no id."""

    accepted: list[Accepted]
    rejected: list[Rejection]
    arrivals: dict[str, Arrival]
    ids_assigned: dict[str, int]


class Outcome(TypedDict):
    """What became of one request, as plain JSON values.

    `fates` has a letter for each record in order; `counts` says by dataset and letter
    how many there are.
    """

    receipt: str
    inlet: str
    batch: str
    received_at: str
    ids_assigned: int
    fates: str
    counts: dict[str, dict[str, int]]


def prepare(sandbox: Sandbox, rows: Sequence[QueueRow], *, now: datetime) -> Prepared:
    """Decode, map and judge what the doors wrote down.

    Raises what a decoder raises for a row that cannot be read at all; the queue then
    tries its rows one by one.
    """
    arrivals = {arrival.receipt_id: arrival for arrival in map(arrival_of, rows)}
    inlets = selectors.inlet_facts(sandbox, {a.inlet_id for a in arrivals.values()})
    routed = {route.dataset_id for inlet in inlets.values() for route in inlet.routes.all}
    named = {arrival.dataset_id for arrival in arrivals.values() if arrival.dataset_id}
    datasets = selectors.dataset_facts(sandbox, routed | named)
    places = list(decode(rows, Known(sandbox, inlets, datasets)))
    received = [place for place in places if isinstance(place, Received)]
    judged = [examine(record, datasets.get(record.dataset_id), now=now) for record in received]
    assigned: dict[str, int] = defaultdict(int)
    for record in received:
        if lacks_id(record, datasets.get(record.dataset_id)):
            assigned[record.receipt_id] += 1
    return Prepared(
        accepted=[record for record in judged if isinstance(record, Accepted)],
        rejected=[record for record in (*places, *judged) if isinstance(record, Rejection)],
        arrivals=arrivals,
        ids_assigned=dict(assigned),
    )


def outcomes(prepared: Prepared, *, duplicates: Iterable[Accepted] = ()) -> list[Outcome]:
    """Say what became of each request, for the time when all of it is stored."""
    repeated = {(record.receipt_id, record.position) for record in duplicates}
    fates: dict[str, dict[int, tuple[str, str]]] = {key: {} for key in prepared.arrivals}
    for record in prepared.accepted:
        place = record.receipt_id, record.position
        fate = DUPLICATE if place in repeated else STORED
        fates[record.receipt_id][record.position] = fate, record.dataset_id
    for rejection in prepared.rejected:
        fates[rejection.receipt_id][rejection.position] = REJECTED, rejection.dataset_id
    return [
        _outcome(arrival, fates[key], prepared.ids_assigned.get(key, 0))
        for key, arrival in prepared.arrivals.items()
    ]


def mark_rejected(given: Iterable[Outcome], rejections: Iterable[Rejection]) -> None:
    """Note in outcomes that the store refused records which had been accepted."""
    by_receipt = {outcome["receipt"]: outcome for outcome in given}
    for rejection in rejections:
        outcome = by_receipt[rejection.receipt_id]
        fates, position = outcome["fates"], rejection.position
        outcome["fates"] = fates[:position] + REJECTED + fates[position + 1 :]
        counts = outcome["counts"][rejection.dataset_id]
        counts[fates[position]] -= 1
        counts[REJECTED] = counts.get(REJECTED, 0) + 1


def _outcome(arrival: Arrival, fates: dict[int, tuple[str, str]], assigned: int) -> Outcome:
    counts: dict[str, dict[str, int]] = {}
    for (dataset, fate), number in Counter((d, f) for f, d in fates.values()).items():
        counts.setdefault(dataset, {})[fate] = number
    return Outcome(
        receipt=arrival.receipt_id,
        inlet=arrival.inlet_id,
        batch=arrival.batch_id,
        received_at=arrival.received_at.isoformat(),
        ids_assigned=assigned,
        fates="".join(fates[position][0] for position in sorted(fates)),
        counts=counts,
    )
