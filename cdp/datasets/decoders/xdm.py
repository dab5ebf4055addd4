"""XDM streaming messages, plain or in their envelopes."""

from collections.abc import Iterator

import orjson

from cdp.datasets.decoding import Decoded, Request, refused
from cdp.datasets.errors import MessageInvalid
from cdp.datasets.records import Received
from cdp.datasets.xdm import messages_of, unwrap
from cdp.errors import FieldError


def decode(request: Request) -> Iterator[Decoded]:
    """Decode XDM messages, plain or in their envelopes."""
    inlet = request.inlet
    if inlet is None:
        yield from _all_refused(request, "inlet_gone", "The inlet has been deleted meanwhile.")
        return
    for position, message in enumerate(messages_of(orjson.loads(request.body))):
        try:
            opened = unwrap(message, inlet.routes)
        except MessageInvalid as error:
            yield refused(request.arrival, position, message, error.errors)
            continue
        yield Received(
            arrival=request.arrival,
            position=position,
            record=opened.record,
            dataset_id=opened.route.dataset_id,
            operation=opened.operation,
        )


def _all_refused(request: Request, code: str, detail: str) -> Iterator[Decoded]:
    error: FieldError = {"path": "", "code": code, "detail": detail}
    for position, message in enumerate(messages_of(orjson.loads(request.body))):
        yield refused(request.arrival, position, message, [error])
