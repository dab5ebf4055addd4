"""Phase 1: decide on a batch, in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from cdp.datasets.ingestion import Prepared, mark_rejected, outcomes
from cdp.datasets.records import Accepted
from cdp.datasets.services.settling import reject
from cdp.queue import Item
from cdp.tenancy.models import Sandbox
from profiles.erasing.suppression import refuse_erased
from profiles.identity.rules import Rules
from profiles.ingest.fragments import apply_rows
from profiles.ingest.keeping import keep_batch
from profiles.ingest.keys import key_of, take_keys
from profiles.ingest.payload import EVENTS, OVERRIDES, PROFILES, RECORDS, Payload
from profiles.ingest.people import Attributed, Readers, attribute, sightings_of
from profiles.ingest.regrouped import override_rows
from profiles.ingest.rows import Origin, event_line, lines_of, record_line
from profiles.ingest.snapshots import take_snapshots
from profiles.models import IngestBatch
from profiles.selectors.rules import default_policy, linking_rules, namespace_catalogue
from profiles.stitching.stitch import stitch


def decide(
    sandbox: Sandbox, items: Sequence[Item], prepared: Prepared, now: datetime
) -> IngestBatch:
    """Decide what becomes of every record, change the graphs and fragments, and pack the rest.

    The caller holds the sandbox's graphs, in a transaction that also keeps `items`
    for this batch: from its commit on, the batch is all there is to know.
    """
    namespaces = namespace_catalogue(sandbox)
    rules = linking_rules(sandbox, namespaces)
    origin = Origin(sandbox, uuid4(), now)
    readers = Readers(namespaces, rules)
    attributed, refused = attribute(prepared.accepted, readers)
    attributed, erased = refuse_erased(sandbox, attributed, readers)
    refused += erased
    events = [one.record for one in attributed if one.record.dataset.is_events]
    duplicates = take_keys(sandbox, events, now)
    kept = _without(attributed, duplicates)
    if prepared.rejected or refused:
        reject(sandbox, [*prepared.rejected, *refused])
    fates = outcomes(prepared, duplicates=duplicates)
    mark_rejected(fates, refused)
    payload = replace(_work(origin, kept, rules), outcomes=fates)
    return keep_batch(sandbox, origin.batch, payload, [item.id for item in items])


def _without(attributed: Iterable[Attributed], duplicates: Iterable[Accepted]) -> list[Attributed]:
    left_out = {id(record) for record in duplicates}
    return [one for one in attributed if id(one.record) not in left_out]


def _work(origin: Origin, kept: Sequence[Attributed], rules: Rules) -> Payload:
    """Change who is who and what is said of them; return what the event store is to be told."""
    sandbox = origin.sandbox
    stitched = stitch(sandbox, sightings_of(kept), rules, origin.now)
    events = [one for one in kept if one.record.dataset.is_events]
    rows = [one for one in kept if not one.record.dataset.is_events]
    said, unsaid = apply_rows(
        sandbox, [row for row in rows if row.record.profile and row.primary], stitched.numbers
    )
    spoken_of = {stitched.profile_of[identity] for identity in said}
    snapshots = take_snapshots(
        sandbox,
        spoken_of | stitched.regrouped | stitched.founded,
        stitched.vanished,
        default_policy(sandbox),
    )
    version = snapshots[0]["version"] if snapshots else 0
    numbers, profile_of = stitched.numbers, stitched.profile_of
    active = {profile_of[numbers[e.primary]] for e in events if e.record.profile and e.primary}
    return Payload(
        lines={
            OVERRIDES: lines_of(override_rows(sandbox, stitched, version)),
            PROFILES: lines_of(snapshots),
            EVENTS: [event_line(origin, event, numbers, profile_of) for event in events],
            RECORDS: [record_line(origin, row) for row in rows],
        },
        changed=sorted(active | spoken_of | stitched.regrouped | stitched.founded),
        vanished=sorted(stitched.vanished.items()),
        emptied=sorted({stitched.profile_of[identity] for identity in unsaid}),
        origins={
            EVENTS: [_origin(sandbox, event) for event in events],
            RECORDS: [_origin(sandbox, row) for row in rows],
        },
    )


def _origin(sandbox: Sandbox, one: Attributed) -> dict[str, Any]:
    record = one.record
    return {
        "receipt": record.receipt_id,
        "position": record.position,
        "dataset": record.dataset.id,
        "batch": record.batch_id,
        "operation": record.operation,
        "scope": record.dedup_scope,
        "received_at": record.received_at.isoformat(),
        "key": key_of(sandbox, record.dedup_scope, record.event_id)
        if record.dataset.is_events
        else None,
    }
