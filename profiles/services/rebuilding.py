"""Working a whole sandbox over, slice by slice: new linking rules, a new default merge policy.

Each slice is a row of the queue that publishes the next one in the transaction that
does its work, so a crash goes on where it was.
"""

from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from cdp import queue
from cdp.tenancy.models import Sandbox
from profiles.ingest.keeping import hand_over
from profiles.ingest.payload import PROFILES, Payload
from profiles.ingest.regrouped import hand_over_regrouped
from profiles.ingest.rows import lines_of
from profiles.ingest.snapshots import take_snapshots
from profiles.models import Identity, Profile
from profiles.selectors.agreement import stored_numbers
from profiles.selectors.rules import default_policy, linking_rules
from profiles.stitching.locks import take_graphs
from profiles.stitching.stitch import regraph
from profiles.topics import GRAPHS_OUTDATED, SNAPSHOTS_OUTDATED

SLICE: Final = 2_000


def rejudge_slice(sandbox: Sandbox, after: int) -> None:
    """Judge the graphs of the next identities by the present rules. Raises `SandboxBusy`."""
    take_graphs(sandbox)
    identities = _next(Identity.objects.for_sandbox(sandbox).filter(pk__gt=after))
    if not identities:
        return
    stitched = regraph(sandbox, set(identities), linking_rules(sandbox), timezone.now())
    hand_over_regrouped(sandbox, stitched)
    queue.publish(GRAPHS_OUTDATED, {"after": identities[-1]}, sandbox=sandbox)


def retake_slice(sandbox: Sandbox, after: int) -> int | None:
    """Take snapshots of the next profiles; return the last of them, None behind the last."""
    take_graphs(sandbox)
    standing = Profile.objects.for_sandbox(sandbox).filter(vanished=False, pk__gt=after)
    profiles = _next(standing)
    if not profiles:
        return None
    rows = take_snapshots(sandbox, profiles, [], default_policy(sandbox))
    hand_over(sandbox, Payload(lines={PROFILES: lines_of(rows)}, changed=profiles))
    return profiles[-1]


def forget_slice(sandbox: Sandbox, after: int) -> int | None:
    """Have those of the next snapshots removed that stand for nobody any more.

    Returns the last that was looked at, None behind the last. The graphs are taken before the
    event store is read: what it shows then has a profile, if it ever will.
    """
    take_graphs(sandbox)
    stored = stored_numbers(sandbox, after, SLICE)
    if not stored:
        return None
    standing = Profile.objects.for_sandbox(sandbox).filter(vanished=False, pk__in=stored)
    orphans = sorted(set(stored).difference(standing.values_list("pk", flat=True)))
    rows = take_snapshots(sandbox, [], orphans, default_policy(sandbox))
    if rows:
        hand_over(sandbox, Payload(lines={PROFILES: lines_of(rows)}))
    return stored[-1]


def retake_and_go_on(sandbox: Sandbox, after: int) -> None:
    """Take a slice of snapshots and publish the next."""
    last = retake_slice(sandbox, after)
    if last is not None:
        queue.publish(SNAPSHOTS_OUTDATED, {"after": last}, sandbox=sandbox)


def _next(rows: QuerySet[Identity] | QuerySet[Profile]) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True)[:SLICE])
