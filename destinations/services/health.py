"""How a connection fares: rest after failures, stop when the receiver is gone."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings

from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from destinations.connectors.base import DeliveryError
from destinations.enums import ConnectionState
from destinations.models import DestinationConnection


def delay_after(attempts: int, error: DeliveryError) -> timedelta | None:
    """Return how long to wait before the next attempt, or None if there is none."""
    if error.permanent or attempts >= len(settings.DELIVERY_DELAYS):
        return None
    asked = error.retry_after or timedelta(0)
    return max(settings.DELIVERY_DELAYS[attempts], asked)


def note_health(
    connection: DestinationConnection,
    actor: Actor,
    *,
    delivered: bool,
    errors: Iterable[DeliveryError],
    now: datetime,
) -> None:
    """Write down how a connection fared in one round of deliveries.

    While it rests nothing is sent to it, however much waits: a destination that is away
    costs one attempt a pause. An error that is about one batch alone changes nothing.
    """
    found = list(errors)
    gone = next((error for error in found if error.gone), None)
    if gone is not None:
        _stop(connection, actor, gone.detail)
    elif passing := [error for error in found if not error.permanent]:
        before = 0 if delivered else connection.failures
        until = now + _rest(before, passing)
        _update(connection, failures=before + 1, resting_until=until)
    elif delivered and connection.failures:
        _update(connection, failures=0, resting_until=None)


def _rest(failures: int, errors: Sequence[DeliveryError]) -> timedelta:
    delays = settings.DELIVERY_DELAYS
    asked = [error.retry_after for error in errors if error.retry_after is not None]
    return max([delays[min(failures, len(delays) - 1)], *asked])


def _stop(connection: DestinationConnection, actor: Actor, reason: str) -> None:
    _update(connection, state=ConnectionState.STOPPED, stopped_because=reason)
    audit.record(
        actor=actor,
        action="destination_connection.stopped",
        target=connection,
        after={"reason": reason},
    )


def _update(connection: DestinationConnection, **values: object) -> None:
    rows = DestinationConnection.objects.for_sandbox(connection.sandbox_id)
    rows.filter(pk=connection.pk).update(**values)
