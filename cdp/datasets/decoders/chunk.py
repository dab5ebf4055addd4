"""Chunks of a batch, whose rows have been judged before."""

from collections.abc import Iterator

from cdp.datasets.decoding import Decoded, Request
from cdp.datasets.files.storage import Folder
from cdp.datasets.records import Received
from cdp.datasets.staging.chunks import read_chunk


def decode(request: Request) -> Iterator[Decoded]:
    """Yield the records of a chunk; they are valid and need no second look."""
    arrival = request.arrival
    folder = Folder(request.known.sandbox, "batches", arrival.batch_id)
    appended = tuple(arrival.details.get("appended", ()))
    for position, record in enumerate(read_chunk(folder, arrival.details["chunk"])):
        yield Received(
            arrival, position, record, arrival.dataset_id, checked=True, appended=appended
        )
