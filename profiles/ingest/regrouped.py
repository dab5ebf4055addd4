"""What the event store is told when graphs change without a record: one batch, no events."""

from collections.abc import Collection
from typing import Any

from cdp.tenancy.models import Sandbox
from profiles.ingest.deleting import SNAPSHOTS_OF_PROFILES
from profiles.ingest.keeping import hand_over
from profiles.ingest.payload import OVERRIDES, PROFILES, Deletion, Payload
from profiles.ingest.rows import lines_of
from profiles.ingest.snapshots import take_snapshots
from profiles.selectors.rules import default_policy
from profiles.stitching.stitch import Stitched


def override_rows(sandbox: Sandbox, stitched: Stitched, version: int) -> list[dict[str, Any]]:
    """Say of every identity that has another profile now whose its events are."""
    return [
        {
            "sandbox_id": sandbox.pk,
            "identity_id": identity,
            "profile_id": profile,
            "version": version,
        }
        for identity, profile in stitched.rehomed.items()
    ]


def changed_payload(
    sandbox: Sandbox,
    stitched: Stitched,
    *,
    changed: Collection[int] = (),
    gone: Collection[int] = (),
    scrub: bool = False,
) -> Payload:
    """Merge changed profiles anew; take away the snapshots of those vanished, or gone for good.

    The store keeps former snapshots for a while behind the newest; `scrub` deletes them.
    """
    standing = {*changed, *stitched.regrouped, *stitched.founded}
    standing.difference_update(stitched.vanished, gone)
    over = {*stitched.vanished, *gone}
    snapshots = take_snapshots(sandbox, standing, over, default_policy(sandbox))
    version = snapshots[0]["version"] if snapshots else 0
    return Payload(
        lines={
            OVERRIDES: lines_of(override_rows(sandbox, stitched, version)),
            PROFILES: lines_of(snapshots),
        },
        changed=sorted(standing.union(gone)),
        vanished=sorted(stitched.vanished.items()),
        deletions=[Deletion(SNAPSHOTS_OF_PROFILES, sorted(standing.union(over)), before=version)]
        if scrub and snapshots
        else [],
    )


def hand_over_regrouped(sandbox: Sandbox, stitched: Stitched) -> None:
    """Have the event store and the apps above told of changed graphs, if any have."""
    payload = changed_payload(sandbox, stitched)
    if payload.changed or payload.vanished:
        hand_over(sandbox, payload)
