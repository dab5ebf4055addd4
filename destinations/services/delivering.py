"""Delivering what is due: prepare, send, write down. The only place that tries again.

Nothing is sent inside a transaction, and nothing is written down before it was sent.
If the process dies in between, the same batches go out again under the same ids.
"""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.utils import timezone

from cdp.queue import Claim, Message, publish_many
from cdp.tenancy import usage
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from destinations.connectors.base import DeliveryError
from destinations.enums import DeliveryState
from destinations.services.due import Due
from destinations.services.health import delay_after, note_health
from destinations.services.preparing import Prepared, prepare
from destinations.services.runs import Fate, settle
from destinations.services.sending import Outcome, send_all
from destinations.topics import DELIVERIES_DUE

ACTOR: Final = Actor.system("destinations.deliver")


def deliver_due(claim: Claim) -> None:
    """Deliver the batches of a claim; what needs another attempt goes back to the queue."""
    sandbox = claim.sandbox
    with scope(sandbox, ACTOR):
        prepared = prepare(sandbox, ACTOR, [Due.of(item) for item in claim.items], timezone.now())
    outcomes = send_all(prepared.shipments)
    with scope(sandbox, ACTOR):
        _write_down(sandbox, prepared, outcomes, timezone.now())
        # What met a fault of ours stays claimed: the queue tries it again, in the end alone.
        faulty = {outcome.shipment.due.item.id for outcome in outcomes if outcome.fault}
        claim.finish([item for item in claim.items if item.id not in faulty])


def _write_down(
    sandbox: Sandbox, prepared: Prepared, outcomes: Sequence[Outcome], now: datetime
) -> None:
    fates = list(prepared.given_up)
    later = [held.due.put_off().message(held.until) for held in prepared.held]
    for outcome in outcomes:
        followed = _follow(outcome, now)
        if isinstance(followed, Fate):
            fates.append(followed)
        elif followed is not None:
            later.append(followed)
    settle(sandbox, fates)
    _note_health(outcomes, now)
    _count(sandbox, outcomes)
    publish_many(DELIVERIES_DUE, later, sandbox=sandbox)


def _follow(outcome: Outcome, now: datetime) -> Fate | Message | None:
    """Return what becomes of a batch: done, again later, or left to the queue."""
    due, error = outcome.shipment.due, outcome.error
    if outcome.fault is not None:
        return None
    if outcome.receipt is not None:
        return Fate(due.deliveries, DeliveryState.DELIVERED, batch=due.batch)
    if error is None:
        return due.put_off().message(now + due.pause)
    delay = delay_after(due.attempts, error)
    if delay is None:
        return Fate(due.deliveries, DeliveryState.FAILED, batch=due.batch, error=error.detail)
    # Apart, so that what failed together does not come back all at once.
    return due.tried().message(now + delay * random.uniform(1, 1.1))  # noqa: S311  no secret


def _note_health(outcomes: Sequence[Outcome], now: datetime) -> None:
    connections = {
        outcome.shipment.activation.connection_id: outcome.shipment.activation.connection
        for outcome in outcomes
    }
    for key in sorted(connections):  # in one order, so that no two workers wait for each other
        own = [each for each in outcomes if each.shipment.activation.connection_id == key]
        errors: list[DeliveryError] = [each.error for each in own if each.error is not None]
        delivered = any(each.receipt is not None for each in own)
        note_health(connections[key], ACTOR, delivered=delivered, errors=errors, now=now)


def _count(sandbox: Sandbox, outcomes: Sequence[Outcome]) -> None:
    amounts: dict[tuple[str, str], int] = {}
    for outcome in outcomes:
        if outcome.receipt is not None:
            key = ("deliveries.sent", outcome.shipment.activation.connection_id)
            amounts[key] = amounts.get(key, 0) + outcome.receipt.delivered
    usage.count(sandbox, amounts)
