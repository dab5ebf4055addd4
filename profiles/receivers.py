"""What we do when news arrives on the queue."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final
from uuid import uuid4

from cdp.datasets.models import Batch
from cdp.datasets.services.batch_work import finish_revert
from cdp.datasets.services.tidying import expire_events
from cdp.queue import Claim, Item
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.computed.refreshing import refresh_slice
from profiles.erasing.batches import profiles_of, take_back
from profiles.erasing.nobody import forget_nobody
from profiles.ingest.batches import finish_batch, open_batches
from profiles.ingest.keeping import hand_over, keep_batch
from profiles.ingest.regrouped import changed_payload
from profiles.models import IngestBatch
from profiles.services.rebuilding import rejudge_slice, retake_and_go_on
from profiles.stitching.locks import take_graphs
from profiles.stitching.stitch import Stitched

ACTOR: Final = Actor.system("profiles")


def rejudge_graphs(claim: Claim) -> None:
    """Handle topic `graphs.outdated`: the earliest slice stands for all that are claimed."""
    _one_slice(claim, rejudge_slice)


def retake_snapshots(claim: Claim) -> None:
    """Handle topic `snapshots.outdated`: the earliest slice stands for all that are claimed."""
    _one_slice(claim, retake_and_go_on)


def refresh_computed(claim: Claim) -> None:
    """Handle topic `computed.outdated`: the earliest slice stands for all that are claimed."""
    _one_slice(claim, refresh_slice)


def take_back_batches(claim: Claim) -> None:
    """Handle topic `batches.reverted`: one batch after the other, told once it is gone.

    What a crash has left half done comes first: it alone knows which identities have parted.
    """
    for left in open_batches(claim.sandbox):
        if not left.items:  # the others are the ingest worker's
            finish_batch(claim.sandbox, left, lambda done: done.delete())
    for item in claim.items:
        key = item.payload["batch"]
        with scope(claim.sandbox, ACTOR):
            take_graphs(claim.sandbox)
            payload = take_back(claim.sandbox, key, item.payload["dataset"])
            kept = keep_batch(claim.sandbox, uuid4(), payload)
        finish_batch(claim.sandbox, kept, partial(_reverted, claim, item))


def follow_expiry(claim: Claim) -> None:
    """Handle topic `events.expired`: what rests on the events is worked out without them."""
    for dataset, before in {(i.payload["dataset"], i.payload["before"]) for i in claim.items}:
        expire_events(claim.sandbox, dataset, before)
    senders = {identity for item in claim.items for identity in item.payload["identities"]}
    with scope(claim.sandbox, ACTOR):
        take_graphs(claim.sandbox)
        touched = profiles_of(claim.sandbox, senders)
        payload = changed_payload(claim.sandbox, Stitched(), changed=touched)
        hand_over(claim.sandbox, replace(payload, emptied=payload.changed))
        claim.finish()


def forget_emptied(claim: Claim) -> None:
    """Handle topic `profiles.emptied`."""
    profiles = {profile for item in claim.items for profile in item.payload["profiles"]}
    with scope(claim.sandbox, ACTOR):
        take_graphs(claim.sandbox)
        payload = forget_nobody(claim.sandbox, profiles)
        if payload:
            hand_over(claim.sandbox, payload)
        claim.finish()


def _reverted(claim: Claim, item: Item, done: IngestBatch) -> None:
    done.delete()
    batch = Batch.objects.for_sandbox(claim.sandbox).filter(pk=item.payload["batch"]).first()
    if batch is not None:
        finish_revert(batch)
    claim.finish([item])


def _one_slice(claim: Claim, work: Callable[[Sandbox, int], None]) -> None:
    with scope(claim.sandbox, ACTOR):
        work(claim.sandbox, min(item.payload["after"] for item in claim.items))
        claim.finish()
