"""Records that the platform itself writes, all for one dataset."""

from collections.abc import Iterator

import orjson

from cdp.datasets.decoding import Decoded, Request
from cdp.datasets.records import Received


def decode(request: Request) -> Iterator[Decoded]:
    """Decode a JSON list of records that all go to the arrival's dataset."""
    details = request.arrival.details
    for position, record in enumerate(orjson.loads(request.body)):
        yield Received(
            arrival=request.arrival,
            position=position,
            record=record,
            dataset_id=request.arrival.dataset_id,
            operation=details.get("operation", "create"),
            dedup_scope=details.get("dedup_scope", ""),
        )
