"""What the event store is told when graphs change without a record: one batch, no events."""

from typing import Any

from cdp.tenancy.models import Sandbox
from profiles.ingest.batches import hand_over
from profiles.ingest.payload import OVERRIDES, PROFILES, Payload
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


def hand_over_regrouped(sandbox: Sandbox, stitched: Stitched) -> None:
    """Merge the changed profiles anew and have the event store and the apps above told."""
    changed = stitched.regrouped | stitched.founded
    snapshots = take_snapshots(sandbox, changed, stitched.vanished, default_policy(sandbox))
    if not snapshots:
        return
    version = snapshots[0]["version"]  # whoever is re-homed leaves one profile and joins another
    hand_over(
        sandbox,
        Payload(
            lines={
                OVERRIDES: lines_of(override_rows(sandbox, stitched, version)),
                PROFILES: lines_of(snapshots),
            },
            changed=sorted(changed),
            vanished=sorted(stitched.vanished.items()),
        ),
    )
