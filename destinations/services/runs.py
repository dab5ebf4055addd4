"""Runs: windows that collect an activation's deliveries and count what becomes of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from orjson import dumps

from cdp.tenancy.models import Sandbox
from destinations.enums import DeliveryState, RunState
from destinations.models import Activation, ActivationRun

# In the order in which changes are accepted, so that no two workers wait for each other.
_LOCK = """
SELECT run.id FROM destinations_activationrun AS run
WHERE run.id IN (SELECT run_id FROM destinations_delivery WHERE id = ANY(%s))
ORDER BY run.activation_id, run.id
FOR NO KEY UPDATE
"""
_SETTLE = """
WITH settled AS (
    UPDATE destinations_delivery AS delivery
    SET state = fate.state, batch = fate.batch, error = fate.error, finished_at = %(now)s
    FROM (
        SELECT each::bigint AS id, given.state, given.batch, given.error
        FROM jsonb_to_recordset(%(fates)s::jsonb)
            AS given(deliveries jsonb, state text, batch text, error text)
        CROSS JOIN LATERAL jsonb_array_elements_text(given.deliveries) AS each
    ) AS fate
    WHERE delivery.id = fate.id AND delivery.state = 'pending'
    RETURNING delivery.run_id, delivery.state
), counted AS (
    SELECT run_id,
        count(*) FILTER (WHERE state = 'delivered') AS delivered,
        count(*) FILTER (WHERE state = 'failed') AS failed,
        count(*) FILTER (WHERE state = 'refused') AS refused
    FROM settled GROUP BY run_id
)
UPDATE destinations_activationrun AS run
SET delivered = run.delivered + counted.delivered,
    failed = run.failed + counted.failed,
    refused = run.refused + counted.refused,
    finished_at = %(now)s
FROM counted WHERE run.id = counted.run_id
"""
_SETTLE_RUN = """
UPDATE destinations_delivery SET state = %(state)s, batch = run_id, error = %(error)s,
    finished_at = %(now)s
WHERE run_id = %(run)s AND state = 'pending'
"""
ERROR_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of deliveries that went together."""

    deliveries: Sequence[int]
    state: DeliveryState
    batch: str = ""
    error: str = ""


def current_run(activation: Activation, window: timedelta, now: datetime) -> ActivationRun:
    """Return the run that collects now; a new one if the last window is over.

    The caller has locked the activation, so there is never a second open one.
    """
    runs = ActivationRun.objects.for_sandbox(activation.sandbox_id).filter(activation=activation)
    run = runs.filter(state=RunState.OPEN).select_for_update(no_key=True).first()
    if run is not None and run.closes_at > now:
        return run
    if run is not None:
        run.state = RunState.CLOSED
        run.save(update_fields=["state"])
    return ActivationRun.objects.create(
        sandbox_id=activation.sandbox_id,
        activation=activation,
        started_at=now,
        closes_at=now + window,
    )


def settle(sandbox: Sandbox, fates: Iterable[Fate]) -> None:
    """Write down what became of deliveries and count it in their runs, in two statements."""
    given = [
        {
            "deliveries": fate.deliveries,
            "state": fate.state,
            "batch": fate.batch,
            "error": fate.error[:ERROR_LENGTH],
        }
        for fate in fates
        if fate.deliveries
    ]
    if not given:
        return
    touched = [delivery for fate in given for delivery in fate["deliveries"]]
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [touched])
        cursor.execute(_SETTLE, {"fates": dumps(given).decode(), "now": timezone.now()})


def settle_run(
    run: ActivationRun, state: DeliveryState, *, reference: str = "", error: str = ""
) -> int:
    """Write down that all that waited in a run has the same fate; return how much that was."""
    now, short = timezone.now(), error[:ERROR_LENGTH]
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"run": run.pk, "state": state.value, "error": short, "now": now}
        cursor.execute(_SETTLE_RUN, values)
        count: int = cursor.rowcount
    setattr(run, state.value, getattr(run, state.value) + count)
    run.reference, run.error, run.finished_at = reference, short, now
    run.save(update_fields=[state.value, "reference", "error", "finished_at"])
    return count
