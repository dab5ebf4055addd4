"""Sending prepared batches, several at a time. Touches no database."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Final

import structlog

from destinations.connectors.base import DeliveryError, Receipt
from destinations.services.preparing import Shipment

AT_ONCE: Final = 8

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a batch fared: a receipt, an error, or neither if it was not tried.

    `fault` is an error of ours; the queue tries such work again, alone, and puts it
    aside in the end.
    """

    shipment: Shipment
    receipt: Receipt | None = None
    error: DeliveryError | None = None
    fault: Exception | None = None


def send_all(shipments: Sequence[Shipment]) -> list[Outcome]:
    """Send batches and return how each fared.

    Once a connection has failed, what is left for it is not tried: a destination that
    does not answer holds up a worker for one time-out, not for hundreds.
    """
    failed = {shipment.activation.connection_id: Event() for shipment in shipments}
    if len(shipments) == 1:
        return [_send(shipments[0], failed)]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="deliver") as pool:
        return list(pool.map(lambda shipment: _send(shipment, failed), shipments))


def _send(shipment: Shipment, failed: dict[str, Event]) -> Outcome:
    stop = failed[shipment.activation.connection_id]
    if stop.is_set():
        return Outcome(shipment)
    try:
        return Outcome(shipment, receipt=shipment.connector.deliver(shipment.batch))
    except DeliveryError as error:
        if error.gone or not error.permanent:
            stop.set()
        return Outcome(shipment, error=error)
    except Exception as fault:
        log.exception("connector_failed", connection=shipment.activation.connection_id)
        return Outcome(shipment, fault=fault)
