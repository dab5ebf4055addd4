"""Carrying out orders to delete: profiles, what a dataset says, or rows of identities."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from uuid import uuid4

from cdp.clickhouse import client
from cdp.jobs.handle import JobHandle
from cdp.tenancy import usage
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.enums import DeletionKind
from profiles.erasing.batches import profiles_of
from profiles.erasing.naming import Naming
from profiles.erasing.parting import part
from profiles.erasing.people import remove, stored_numbers
from profiles.erasing.requests import begin, complete, fail, finish_open_batches
from profiles.identity.rules import Identity
from profiles.ingest.deleting import (
    EVENTS_OF_DATASETS,
    EVENTS_OF_IDENTITIES,
)
from profiles.ingest.keeping import keep_batch
from profiles.ingest.payload import Deletion, Payload
from profiles.ingest.regrouped import changed_payload
from profiles.models import DeletionOrder
from profiles.selectors.identities import members_of
from profiles.selectors.people import people_of_ids
from profiles.sets import OWN, execute, select
from profiles.stitching.locks import await_graphs
from profiles.stitching.stitch import Stitched

KIND: Final = "profiles.delete"
USAGE: Final = "identities.deleted"
_PATIENCE: Final = "60s"
_FRAGMENTS_OF_DATASET: Final = """
DELETE FROM profiles_fragment
WHERE sandbox_id = %(sandbox)s AND dataset_id = %(dataset)s RETURNING identity_id
"""
_FRAGMENTS_OF_IDENTITIES: Final = f"""
DELETE FROM profiles_fragment
WHERE {OWN} AND identity_id = ANY(%(keys)s)
    AND (%(dataset)s = '' OR dataset_id = %(dataset)s)
"""
_LINKS_OF_DATASET_ALONE: Final = """
DELETE FROM profiles_identitylink
WHERE sandbox_id = %(sandbox)s AND datasets = ARRAY[%(dataset)s]::varchar[]
    AND cut_at IS NULL
RETURNING a, b
"""
_LINKS_OF_DATASET: Final = """
UPDATE profiles_identitylink SET datasets = array_remove(datasets, %(dataset)s)
WHERE sandbox_id = %(sandbox)s AND datasets @> ARRAY[%(dataset)s]::varchar[]
"""
_SENDERS: Final = """
SELECT DISTINCT identity_id FROM events
WHERE sandbox_id = {sandbox:UInt32} AND dataset_id = {dataset:String} AND identity_id != 0
"""

Outcome = tuple[Payload, dict[str, int]]


def run_deletion(job: JobHandle) -> dict[str, str]:
    """Carry out one order; run again from its start, it goes on with what is left."""
    with scope(job.sandbox, job.actor):
        row = DeletionOrder.objects.for_sandbox(job.sandbox).get(pk=job.params["request"])
        begin(row)
    try:
        finish_open_batches(job.sandbox)
        with scope(job.sandbox, job.actor):
            await_graphs(job.sandbox, _PATIENCE)
            payload, counts = _WORK[DeletionKind(row.kind)](job.sandbox, row)
            keep_batch(job.sandbox, uuid4(), payload)
        finish_open_batches(job.sandbox)
        with scope(job.sandbox, job.actor):
            complete(row, {"profiles": counts}, identities=[])
    except Exception as error:
        fail(row, job, error)
        raise
    return {"request": row.pk}


def _delete_profiles(sandbox: Sandbox, row: DeletionOrder) -> Outcome:
    """Remove everything of whole profiles; the persons may come back with new data.

    One that was merged since it was ordered stands for whoever has taken it over.
    """
    people = people_of_ids(sandbox, row.profiles)
    standing = {person.id for person in people if person is not None}
    removal = remove(sandbox, members_of(sandbox, standing))
    counts = {"identities": removal.identities, "fragments": removal.fragments}
    return removal.payload, counts | {"profiles": removal.profiles}


def _delete_records(sandbox: Sandbox, row: DeletionOrder) -> Outcome:
    """Remove the rows that belong to these identities, in one dataset or in all.

    Rows that make nobody belong to whom they name.
    """
    named = [Identity(one["namespace"], one["value"]) for one in row.identities]
    keys = list(stored_numbers(sandbox, named).values())
    fragments = execute(_FRAGMENTS_OF_IDENTITIES, sandbox, keys=keys, dataset=row.dataset_id)
    touched = profiles_of(sandbox, keys)
    rows = Naming(sandbox, named, dataset=row.dataset_id).delete(of_nobody=True)
    usage.count(sandbox, {(USAGE, ""): len(named)})
    payload = replace(
        changed_payload(sandbox, Stitched(), changed=touched),
        deletions=[Deletion(EVENTS_OF_IDENTITIES, keys, row.dataset_id)] if keys else [],
        emptied=sorted(touched),
    )
    return payload, {"identities": len(keys), "fragments": fragments, "rows": sum(rows.values())}


def _delete_dataset(sandbox: Sandbox, row: DeletionOrder) -> Outcome:
    """Remove what a dataset says of anybody, and whom it alone has joined. Its own rows stay."""
    dataset = row.dataset_id
    spoken_of = {key for (key,) in select(_FRAGMENTS_OF_DATASET, sandbox, dataset=dataset)}
    stitched = part(
        sandbox, [(a, b) for a, b in select(_LINKS_OF_DATASET_ALONE, sandbox, dataset=dataset)]
    )
    execute(_LINKS_OF_DATASET, sandbox, dataset=dataset)
    touched = profiles_of(sandbox, spoken_of | _senders(sandbox, dataset))
    payload = replace(
        changed_payload(sandbox, stitched, changed=touched),
        deletions=[Deletion(EVENTS_OF_DATASETS, [dataset])],
    )
    return replace(payload, emptied=payload.changed), {"fragments": len(spoken_of)}


def _senders(sandbox: Sandbox, dataset: str) -> set[int]:
    blocks = client.stream(_SENDERS, sandbox=sandbox, params={"dataset": dataset})
    return {identity for block in blocks for (identity,) in block}


_WORK: Final[Mapping[DeletionKind, Callable[[Sandbox, DeletionOrder], Outcome]]] = {
    DeletionKind.PROFILES: _delete_profiles,
    DeletionKind.DATASET: _delete_dataset,
    DeletionKind.RECORDS: _delete_records,
}
