"""Writing a request down: one durable row of the queue, then the door may answer."""

import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from cdp import queue
from cdp.datasets.doors.inlets import DOORS, KEPT_SECONDS, OpenInlet
from cdp.datasets.errors import BacklogFull
from cdp.datasets.topics import RECORDS_RECEIVED
from cdp.queue import Message
from cdp.tenancy.ids import new_id
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope

RETRY_SECONDS: Final = 10
_backlogs: dict[int, tuple[float, int]] = {}


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """What a door has written: for a decoder, the same as the row of the queue."""

    payload: dict[str, Any]
    body: bytes


def write_down(
    inlet: OpenInlet,
    *,
    form: str,
    body: bytes,
    count: int,
    received_at: datetime | None = None,
    details: dict[str, Any] | None = None,
) -> str:
    """Commit one request to the queue and return its receipt's id.

    `form` says which decoder reads the body later. Raises `BacklogFull` when more
    records of the sandbox wait than its limit.
    """
    row = write_down_row(
        inlet, form=form, body=body, count=count, received_at=received_at, details=details
    )
    return str(row.payload["receipt"])


def write_down_row(
    inlet: OpenInlet,
    *,
    form: str,
    body: bytes,
    count: int,
    received_at: datetime | None = None,
    details: dict[str, Any] | None = None,
) -> WrittenRow:
    """Commit one request as `write_down` does; return the row as it will be read."""
    _check_backlog(inlet.sandbox)
    receipt_id = new_id("rcp")
    payload = {
        "receipt": receipt_id,
        "form": form,
        "inlet": inlet.id,
        "received_at": (received_at or timezone.now()).isoformat(timespec="milliseconds"),
        "details": details or {},
    }
    with scope(inlet.sandbox, DOORS):
        queue.publish(
            RECORDS_RECEIVED,
            payload,
            sandbox=inlet.sandbox,
            key=receipt_id,
            body=body,
            count=count,
        )
        if inlet.facts.forwarded_to:
            _publish_forwarding(inlet, payload, body)
    return WrittenRow(payload, body)


def _publish_forwarding(inlet: OpenInlet, payload: dict[str, Any], body: bytes) -> None:
    """Put the request down once more for each rule that sends it on, each tried by itself."""
    by_topic: dict[str, list[Message]] = defaultdict(list)
    for to in inlet.facts.forwarded_to:
        message = Message({**payload, "rule": to.rule_id}, key=to.rule_id, body=body)
        by_topic[to.topic].append(message)
    for topic, messages in by_topic.items():
        queue.publish_many(topic, messages, sandbox=inlet.sandbox)


def _check_backlog(sandbox: Sandbox) -> None:
    """Ask how much waits at most once a second; a burst in between is let in."""
    read_at, waiting = _backlogs.get(sandbox.pk, (float("-inf"), 0))
    now = time.monotonic()
    if now - read_at > KEPT_SECONDS:
        with scope(sandbox, DOORS):
            waiting = queue.backlog(sandbox, RECORDS_RECEIVED)
        _backlogs[sandbox.pk] = now, waiting
    if waiting >= settings.QUEUE_BACKLOG_LIMIT:
        raise BacklogFull(
            f"{waiting:,} records of this sandbox wait to be worked on. Send again later.",
            retry_after=RETRY_SECONDS,
        )
