"""From changes of membership to rows that wait to be delivered."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import F
from django.utils import timezone
from orjson import dumps

from cdp.queue import Message, publish, publish_many
from cdp.tenancy.ids import new_id
from cdp.tenancy.models import Sandbox
from destinations.connectors.base import Connector, Mode
from destinations.enums import ConnectionState
from destinations.models import Activation, ActivationRun
from destinations.services.connections import unarmed_connector_of
from destinations.services.runs import current_run
from destinations.topics import DELIVERIES_DUE, FILES_DUE

STREAM_WINDOW: Final = timedelta(hours=1)

# What is there already was accepted before: the same change counts once.
_INSERT = """
INSERT INTO destinations_delivery
    (sandbox_id, activation_id, run_id, profile_id, change, entered, at, state, batch, error)
SELECT %(sandbox)s, %(activation)s, %(run)s, member.profile::bigint, given.change, member.entered,
    given.at, 'pending', '', ''
FROM jsonb_to_recordset(%(changes)s::jsonb)
    AS given(change text, at timestamptz, entered jsonb, exited jsonb)
CROSS JOIN LATERAL (
    SELECT profile, true AS entered FROM jsonb_array_elements_text(given.entered) AS e(profile)
    UNION ALL
    SELECT profile, false FROM jsonb_array_elements_text(given.exited) AS x(profile)
) AS member
ON CONFLICT (activation_id, profile_id, change) DO NOTHING
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """Who entered and who left a segment in one evaluation."""

    segment_id: str
    evaluation: str
    entered: Sequence[int]
    exited: Sequence[int]
    at: datetime


def accept_changes(sandbox: Sandbox, changes: Iterable[MembershipChange]) -> int:
    """Make a delivery of each change for each live activation; return how many are new.

    Runs in the transaction that takes the news off the queue, so a change is either
    still news or already a row.
    """
    by_segment: dict[str, list[MembershipChange]] = {}
    for change in changes:
        by_segment.setdefault(change.segment_id, []).append(change)
    return sum(
        _accept(activation, by_segment[activation.segment_id])
        for activation in _activations(sandbox, by_segment)
    )


def _activations(sandbox: Sandbox, segments: Iterable[str]) -> list[Activation]:
    """Return the enabled activations, locked in one order: one worker at a time opens runs."""
    return list(
        Activation.objects.for_sandbox(sandbox)
        .filter(segment__in=segments, enabled=True, connection__state=ConnectionState.ACTIVE)
        .select_related("connection")
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )


def _accept(activation: Activation, changes: Iterable[MembershipChange]) -> int:
    # The moment of the change decides, however late we are.
    live = [change for change in changes if activation.is_live(change.at)]
    if not live:
        return 0
    connector = unarmed_connector_of(activation.connection)
    in_file = connector.mode is Mode.FILE
    now = timezone.now()
    run = current_run(activation, connector.window if in_file else STREAM_WINDOW, now)
    deliveries = _insert(activation, run, live)
    if not deliveries:
        return 0
    if not in_file:
        _publish_batches(activation, connector, deliveries)
    elif run.received == 0:
        publish(
            FILES_DUE,
            {"run": run.pk, "attempts": 0},
            sandbox=activation.sandbox,
            available_at=run.closes_at,
        )
    ActivationRun.objects.for_sandbox(activation.sandbox_id).filter(pk=run.pk).update(
        received=F("received") + len(deliveries)
    )
    return len(deliveries)


def _insert(
    activation: Activation, run: ActivationRun, changes: Iterable[MembershipChange]
) -> list[int]:
    given = [
        {
            "change": change.evaluation,
            "at": change.at,
            "entered": change.entered,
            "exited": change.exited,
        }
        for change in changes
    ]
    values: dict[str, Any] = {
        "sandbox": activation.sandbox_id,
        "activation": activation.pk,
        "run": run.pk,
        "changes": dumps(given).decode(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        return sorted(delivery for (delivery,) in cursor.fetchall())


def _publish_batches(
    activation: Activation, connector: Connector, deliveries: Sequence[int]
) -> None:
    # What goes together is fixed here, so that a batch sent again is the same batch.
    messages = (
        Message(_due(activation, batch), count=len(batch))
        for batch in _slices(deliveries, connector.batch_size)
    )
    publish_many(DELIVERIES_DUE, messages, sandbox=activation.sandbox)


def _due(activation: Activation, deliveries: Sequence[int]) -> dict[str, Any]:
    return {
        "activation": activation.pk,
        "batch": new_id("msg"),
        "deliveries": deliveries,
        "attempts": 0,
        "deferred": 0,
    }


def _slices(deliveries: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(deliveries), size):
        yield deliveries[start : start + size]
