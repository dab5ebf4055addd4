"""From a row of the queue back to the records that a door wrote down.

Each form of body has a decoder, which yields for every place in the request either a
record or what is wrong there. Decoders are deterministic: a row that is read again,
after a crash, gives the same records with the same ids.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cdp.datasets.records import Arrival, DatasetFacts, Received, Rejection
from cdp.datasets.routes import InletFacts
from cdp.errors import FieldError
from cdp.tenancy.models import Sandbox

Decoded = Received | Rejection


class Written(Protocol):
    """What a door wrote beside the body."""

    @property
    def payload(self) -> dict[str, Any]:
        """Where the request came through, when, and how its body is to be read."""
        ...


class QueueRow(Written, Protocol):
    """What is needed of a claimed row of the queue."""

    @property
    def body(self) -> bytes:
        """The request's body, unpacked."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What decoders may look up: read once for all rows of a claim."""

    sandbox: Sandbox
    inlets: Mapping[str, InletFacts]
    datasets: Mapping[str, DatasetFacts]


@dataclass(frozen=True, slots=True)
class Request:
    """One request to decode; `inlet` is None if it has been deleted meanwhile."""

    arrival: Arrival
    body: bytes
    known: Known

    @property
    def inlet(self) -> InletFacts | None:
        """Return what is known of the inlet that the request came through."""
        return self.known.inlets.get(self.arrival.inlet_id)


Decoder = Callable[[Request], Iterable[Decoded]]
_decoders: dict[str, Decoder] = {}


def register(form: str, decoder: Decoder) -> None:
    """Add the decoder of a form of body. Raises `ValueError` if the name is taken."""
    if form in _decoders:
        raise ValueError(f"{form} is registered already")
    _decoders[form] = decoder


def arrival_of(row: Written) -> Arrival:
    """Return what the door wrote beside the body."""
    said = row.payload
    return Arrival(
        receipt_id=said["receipt"],
        form=said["form"],
        inlet_id=said.get("inlet", ""),
        received_at=datetime.fromisoformat(said["received_at"]),
        dataset_id=said.get("dataset", ""),
        batch_id=said.get("batch", ""),
        details=said.get("details", {}),
    )


def decode(rows: Iterable[QueueRow], known: Known) -> Iterator[Decoded]:
    """Yield every place of every request, in order."""
    for row in rows:
        arrival = arrival_of(row)
        yield from _decoders[arrival.form](Request(arrival, row.body, known))


def refused(arrival: Arrival, position: int, record: Any, errors: list[FieldError]) -> Rejection:
    """Put aside what has not even become a record."""
    return Rejection(
        receipt_id=arrival.receipt_id,
        position=position,
        dataset_id=arrival.dataset_id,
        batch_id=arrival.batch_id,
        record=record,
        errors=errors,
        received_at=arrival.received_at,
    )
