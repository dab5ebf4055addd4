"""Computed attributes of what a batch has changed, before anybody is told of the change."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from cdp.tenancy.models import Sandbox
from profiles.computed.definition import Computation
from profiles.computed.evaluating import (
    Values,
    differing,
    forget_values,
    keep,
    published,
    work_out,
)
from profiles.ingest.keeping import hand_over
from profiles.ingest.payload import PROFILES, Payload
from profiles.ingest.rows import lines_of
from profiles.ingest.snapshots import take_snapshots
from profiles.selectors.rules import default_policy
from profiles.sets import OWN, select
from profiles.stitching.locks import await_graphs

_STANDING: Final = f"""
SELECT id, version FROM profiles_profile
WHERE {OWN} AND id = ANY(%(profiles)s) AND NOT vanished
"""


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """Values of profiles as of a moment, and the profiles' versions just before it.

    Of profiles that were `too_much` nothing is known; what they have stays.
    """

    values: Values
    too_much: Collection[int]
    versions: Mapping[int, int]
    now: datetime


def work_out_changed(sandbox: Sandbox, payload: Payload) -> WorkedOut | None:
    """Compute the attributes of what changed; None where the sandbox computes none.

    The events are stored by now, and nobody has been told: those who are told next see
    values that fit the events.
    """
    if payload.refined or not payload.changed:
        return None
    computations = published(sandbox)
    return work_out_now(sandbox, computations, payload.changed) if computations else None


def work_out_now(
    sandbox: Sandbox, computations: Sequence[Computation], profiles: Collection[int]
) -> WorkedOut:
    """Compute the attributes of those of the profiles that stand."""
    versions = _standing(sandbox, profiles)
    now = timezone.now()
    values, too_much = work_out(sandbox, computations, versions, now)
    return WorkedOut(values, too_much, versions, now)


def refine(sandbox: Sandbox, payload: Payload, worked_out: WorkedOut) -> Payload | None:
    """Keep the values; return the rows of the profiles whose values are other ones now, if any.

    Whoever has been changed since the values were worked out may have other ones by now, and
    is looked at again; who has vanished or is gone since has none.
    """
    forget_values(sandbox, [gone for gone, _ in payload.vanished])
    known = set(payload.changed).difference(worked_out.too_much)
    other = differing(sandbox, worked_out.values, known)
    if not other:
        return None
    await_graphs(sandbox)
    present = _standing(sandbox, other)
    fresh = {
        profile
        for profile, version in present.items()
        if worked_out.versions.get(profile) == version
    }
    if overtaken := sorted(present.keys() - fresh):
        hand_over(sandbox, Payload(changed=overtaken))
    values = {profile: own for profile, own in worked_out.values.items() if profile in fresh}
    changed = keep(sandbox, values, fresh, worked_out.now)
    if not changed:
        return None
    rows = take_snapshots(sandbox, changed, [], default_policy(sandbox))
    return Payload(
        lines={PROFILES: lines_of(rows)},
        changed=payload.changed,
        vanished=payload.vanished,
        refined=True,
    )


def _standing(sandbox: Sandbox, profiles: Collection[int]) -> dict[int, int]:
    """Return the versions of those of the profiles that stand."""
    return dict(select(_STANDING, sandbox, profiles=list(profiles)))
