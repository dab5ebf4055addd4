"""The memberships of profiles that were deleted: only the event store's log knows them."""

from collections.abc import Sequence

from cdp.tenancy.models import Sandbox
from profiles.models import Profile
from segments.evaluation import log
from segments.evaluation.settling import settle
from segments.evaluation.telling import Change


def left_for_good(sandbox: Sandbox, profiles: Sequence[int]) -> list[Change]:
    """Return what profiles that there are no more have left by being deleted."""
    rows = Profile.objects.for_sandbox(sandbox).filter(pk__in=profiles)
    gone = sorted(set(profiles).difference(rows.values_list("pk", flat=True)))
    if not gone:
        return []
    settle(sandbox)  # the log must know what has been told
    held = log.held_by(sandbox, gone)
    return [Change(profile, segment, entered=False) for segment, profile in held]
