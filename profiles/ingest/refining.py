"""Computed attributes of what a batch has changed, before anybody is told of the change."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from cdp.tenancy.models import Sandbox
from profiles.computed.evaluating import Values, forget_values, keep, published, work_out
from profiles.ingest.payload import PROFILES, Payload
from profiles.ingest.rows import lines_of
from profiles.ingest.snapshots import take_snapshots
from profiles.selectors.rules import default_policy
from profiles.stitching.locks import await_graphs


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """Values of the changed profiles, as of a moment."""

    values: Values
    now: datetime


def work_out_changed(sandbox: Sandbox, payload: Payload) -> WorkedOut | None:
    """Compute the attributes of what changed; None where the sandbox computes none.

    The events are stored by now, and nobody has been told: those who are told next see
    values that fit the events.
    """
    if payload.refined or not payload.changed:
        return None
    computations = published(sandbox)
    if not computations:
        return None
    now = timezone.now()
    return WorkedOut(work_out(sandbox, computations, payload.changed, now), now)


def refine(sandbox: Sandbox, payload: Payload, worked_out: WorkedOut) -> Payload | None:
    """Keep the values; return the rows of the profiles whose values are other ones now, if any."""
    forget_values(sandbox, [gone for gone, _ in payload.vanished])
    changed = keep(sandbox, worked_out.values, payload.changed, worked_out.now)
    if not changed:
        return None
    await_graphs(sandbox)
    rows = take_snapshots(sandbox, changed, [], default_policy(sandbox))
    return Payload(
        lines={PROFILES: lines_of(rows)},
        changed=payload.changed,
        vanished=payload.vanished,
        refined=True,
    )
