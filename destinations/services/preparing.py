"""From due work to batches with everything in them that is sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from orjson import dumps

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from destinations.connectors.base import Batch, Change, Connector
from destinations.enums import DeliveryState
from destinations.mapping import Entry, apply, read_mapping
from destinations.models import Activation, Delivery
from destinations.people import NOBODY, Person, read_people
from destinations.services.connections import connector_of
from destinations.services.due import Due
from destinations.services.obstacles import Obstacle, obstacles
from destinations.services.runs import Fate
from profiles.ids import profile_key
from segments.payload import payload_of

# Batches that hold a change of a profile whose earlier change still waits in another batch.
_TOO_EARLY = """
WITH given AS (
    SELECT given.batch, each::bigint AS id
    FROM jsonb_to_recordset(%s::jsonb) AS given(batch text, deliveries jsonb)
    CROSS JOIN LATERAL jsonb_array_elements_text(given.deliveries) AS each
)
SELECT DISTINCT given.batch
FROM given
JOIN destinations_delivery AS later ON later.id = given.id
JOIN destinations_delivery AS earlier
    ON earlier.activation_id = later.activation_id AND earlier.profile_id = later.profile_id
    AND earlier.state = 'pending' AND earlier.id < later.id
LEFT JOIN given AS together ON together.id = earlier.id AND together.batch = given.batch
WHERE together.id IS NULL
"""


@dataclass(frozen=True, slots=True)
class Shipment:
    """A batch that can go out now."""

    due: Due
    activation: Activation
    connector: Connector
    batch: Batch


@dataclass(frozen=True, slots=True)
class Held:
    """A batch that has to wait."""

    due: Due
    until: datetime


@dataclass(frozen=True, slots=True)
class Prepared:
    """Due work, sorted by what can be done: send it, wait, or give it up."""

    shipments: Sequence[Shipment]
    held: Sequence[Held]
    given_up: Sequence[Fate]


def prepare(sandbox: Sandbox, actor: Actor, dues: Iterable[Due], now: datetime) -> Prepared:
    """Read what the batches need, in so many queries for each activation, not for each batch."""
    whole = {due.batch: due for due in dues}
    rows = _pending(sandbox, whole.values())
    activations = _activations(sandbox, whole.values())
    too_early = _too_early(whole.values())
    barred = obstacles(sandbox, actor, activations.values())
    ready, held, fates = [], [], []
    for due in whole.values():
        activation = activations.get(due.activation)
        if activation is None or not any(each in rows for each in due.deliveries):
            continue  # nothing is left of it
        obstacle = barred.get(activation.pk) or _given_up(due, rows, now)
        if obstacle is not None:
            fates.append(Fate(due.deliveries, obstacle.state, error=obstacle.reason))
        elif until := _wait(due, activation, too_early, now):
            held.append(Held(due, until))
        else:
            ready.append(due)
    return Prepared(_shipments(ready, activations, rows), held, fates)


def changes_of(activation: Activation, deliveries: Sequence[Delivery]) -> list[Change]:
    """Return deliveries of one activation, in their order, as what is sent about them."""
    entries = read_mapping(activation.mapping)
    people: Mapping[int, Person] = {}
    known: Mapping[int, Mapping[str, Any]] = {}
    if entries and deliveries:
        wanted = {delivery.profile_id for delivery in deliveries}
        people = read_people(activation.sandbox, wanted)
        if any(entry.segment_attribute is not None for entry in entries):
            known = payload_of(activation.segment, wanted)
    return [
        _change(
            delivery,
            people.get(delivery.profile_id, NOBODY),
            known.get(delivery.profile_id, {}),
            entries,
        )
        for delivery in deliveries
    ]


def batch_of(
    activation: Activation, batch_id: str, started_at: datetime, changes: Iterable[Change]
) -> Batch:
    """Return a batch of an activation's changes."""
    return Batch(
        id=batch_id,
        activation_id=activation.pk,
        segment_id=activation.segment_id,
        segment_name=activation.segment.name,
        started_at=started_at,
        targets=tuple(entry.target for entry in read_mapping(activation.mapping)),
        changes=changes,
    )


def _pending(sandbox: Sandbox, dues: Iterable[Due]) -> dict[int, Delivery]:
    wanted = [each for due in dues for each in due.deliveries]
    rows = Delivery.objects.for_sandbox(sandbox).filter(state=DeliveryState.PENDING)
    return rows.in_bulk(wanted)


def _activations(sandbox: Sandbox, dues: Iterable[Due]) -> dict[str, Activation]:
    rows = Activation.objects.for_sandbox(sandbox).select_related("connection", "segment")
    found = rows.in_bulk({due.activation for due in dues})
    for activation in found.values():
        activation.sandbox = activation.connection.sandbox = activation.segment.sandbox = sandbox
    return found


def _too_early(dues: Iterable[Due]) -> set[str]:
    given = [{"batch": due.batch, "deliveries": due.deliveries} for due in dues]
    with connection.cursor() as cursor:
        cursor.execute(_TOO_EARLY, [dumps(given).decode()])
        return {batch for (batch,) in cursor.fetchall()}


def _given_up(due: Due, rows: Mapping[int, Delivery], now: datetime) -> Obstacle | None:
    oldest = min(rows[each].at for each in due.deliveries if each in rows)
    if oldest >= now - settings.DELIVERY_PATIENCE:
        return None
    days = settings.DELIVERY_PATIENCE.days
    return Obstacle(DeliveryState.FAILED, f"The destination took nothing for {days} days.")


def _wait(due: Due, activation: Activation, too_early: set[str], now: datetime) -> datetime | None:
    resting = activation.connection.resting_until
    if resting is not None and resting > now:
        return resting
    return now + due.pause if due.batch in too_early else None


def _shipments(
    dues: Sequence[Due], activations: Mapping[str, Activation], rows: Mapping[int, Delivery]
) -> list[Shipment]:
    shipments = []
    for key in dict.fromkeys(due.activation for due in dues):
        activation, own = activations[key], [due for due in dues if due.activation == key]
        pending = [rows[each] for due in own for each in due.deliveries if each in rows]
        made = changes_of(activation, pending)
        changes = {row.pk: change for row, change in zip(pending, made, strict=True)}
        connector = connector_of(activation.connection)
        for due in own:
            sent = [changes[each] for each in due.deliveries if each in changes]
            batch = batch_of(activation, due.batch, sent[0].at, sent)
            shipments.append(Shipment(due, activation, connector, batch))
    return shipments


def _change(
    delivery: Delivery, person: Person, known: Mapping[str, Any], entries: Sequence[Entry]
) -> Change:
    mapped = apply(entries, person.document, person.identities, known)
    return Change(
        id=delivery.public_id,
        sequence=delivery.pk,
        profile_id=profile_key(delivery.profile_id),
        entered=delivery.entered,
        at=delivery.at,
        attributes=mapped.attributes,
        identities=mapped.identities,
    )
