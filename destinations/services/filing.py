"""Writing the file of a window that is over."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.utils import timezone

from cdp.queue import Claim, publish
from cdp.tenancy import usage
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from destinations.connectors.base import Change, DeliveryError, Receipt
from destinations.enums import DeliveryState, RunState
from destinations.models import ActivationRun, Delivery
from destinations.services.connections import connector_of
from destinations.services.health import delay_after, note_health
from destinations.services.obstacles import obstacles
from destinations.services.preparing import batch_of, changes_of
from destinations.services.runs import settle_run
from destinations.topics import FILES_DUE

ACTOR: Final = Actor.system("destinations.write_file")
PAGE: Final = 2_000


def write_due_file(claim: Claim) -> None:
    """Write the file of one run; a failed attempt goes back to the queue.

    The run's id is in the file's name, so a file that is written twice is the same file.
    """
    [item] = claim.items
    with scope(claim.sandbox, ACTOR):
        run = _ready(claim.sandbox, item.payload["run"])
        if run is None:
            claim.finish()
            return
    while True:
        result = _write(run)
        with scope(claim.sandbox, ACTOR):
            if isinstance(result, Receipt) and result.delivered > _pending(run):
                continue  # somebody in it was erased meanwhile, so it is written anew
            _write_down(run, result, item.payload["attempts"], timezone.now())
            claim.finish()
            return


def _ready(sandbox: Sandbox, run_id: str) -> ActivationRun | None:
    """Close the run to more deliveries and return it, or None if nothing is to be written."""
    rows = ActivationRun.objects.for_sandbox(sandbox).select_related(
        "activation__connection", "activation__segment"
    )
    run = rows.select_for_update(of=("self",), no_key=True).filter(pk=run_id).first()
    if run is None:
        return None
    activation = run.activation
    activation.sandbox = activation.connection.sandbox = sandbox
    run.state = RunState.CLOSED
    run.save(update_fields=["state"])
    obstacle = obstacles(sandbox, ACTOR, [activation]).get(activation.pk)
    if obstacle is not None:
        settle_run(run, obstacle.state, error=obstacle.reason)
    return run if run.pending else None


def _pending(run: ActivationRun) -> int:
    """Count what the run still has to send; nobody is erased from it until the scope ends."""
    rows = ActivationRun.objects.for_sandbox(run.sandbox_id).filter(pk=run.pk)
    rows.select_for_update(no_key=True).get()
    waiting = Delivery.objects.for_sandbox(run.sandbox_id).filter(run=run)
    return waiting.filter(state=DeliveryState.PENDING).count()


def _write(run: ActivationRun) -> Receipt | DeliveryError:
    batch = batch_of(run.activation, run.pk, run.started_at, _changes(run))
    try:
        return connector_of(run.activation.connection).deliver(batch)
    except DeliveryError as error:
        return error


def _changes(run: ActivationRun) -> Iterator[Change]:
    """Yield a run's changes, a page at a time, each page read in a scope of its own."""
    sandbox, after = run.activation.sandbox, 0
    while True:
        with scope(sandbox, ACTOR):
            waiting = Delivery.objects.for_sandbox(sandbox).filter(
                run=run, state=DeliveryState.PENDING, id__gt=after
            )
            page = list(waiting.order_by("id")[:PAGE])
            changes = changes_of(run.activation, page)
        yield from changes
        if len(page) < PAGE:
            return
        after = page[-1].pk


def _write_down(
    run: ActivationRun, result: Receipt | DeliveryError, attempts: int, now: datetime
) -> None:
    connection = run.activation.connection
    if isinstance(result, Receipt):
        count = settle_run(run, DeliveryState.DELIVERED, reference=result.reference)
        usage.count(connection.sandbox, {("deliveries.sent", connection.pk): count})
        note_health(connection, ACTOR, delivered=True, errors=(), now=now)
        return
    note_health(connection, ACTOR, delivered=False, errors=[result], now=now)
    delay = delay_after(attempts, result)
    if delay is None:
        settle_run(run, DeliveryState.FAILED, error=result.detail)
        return
    publish(
        FILES_DUE,
        {"run": run.pk, "attempts": attempts + 1},
        sandbox=connection.sandbox,
        available_at=now + delay,
    )
