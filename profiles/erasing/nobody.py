"""Profiles of whom nothing is known any more: they go, with their identities."""

from collections.abc import Collection
from typing import Final

from django.utils import timezone

from cdp.clickhouse import client
from cdp.tenancy.models import Sandbox
from profiles.ingest.batches import senders_on_their_way
from profiles.ingest.deleting import OVERRIDES_OF_IDENTITIES
from profiles.ingest.payload import Deletion, Payload
from profiles.ingest.regrouped import changed_payload
from profiles.selectors.rules import linking_rules
from profiles.sets import OWN, select
from profiles.stitching.forgetting import forget

_SILENT: Final = f"""
SELECT profile.id, unnest(profile.members) FROM profiles_profile AS profile
WHERE profile.{OWN} AND profile.id = ANY(%(profiles)s) AND NOT EXISTS (
    SELECT FROM profiles_fragment AS said
    WHERE said.identity_id = ANY(profile.members) AND said.{OWN}
)
"""


def forget_nobody(sandbox: Sandbox, profiles: Collection[int]) -> Payload | None:
    """Forget those of the profiles that have no fragment and no event left.

    The caller holds the sandbox's graphs, so no batch can be giving them any; of those that
    have been decided, the events are looked for on their way to the store, too.
    """
    silent = select(_SILENT, sandbox, profiles=list(profiles))
    if not silent:
        return None
    senders = _senders(sandbox, [identity for _, identity in silent])
    busy = {profile for profile, identity in silent if identity in senders}
    empty = [identity for profile, identity in silent if profile not in busy]
    if not empty:
        return None
    forgotten = forget(sandbox, empty, linking_rules(sandbox), timezone.now())
    payload = changed_payload(sandbox, forgotten.stitched, gone=forgotten.gone)
    return Payload(
        lines=payload.lines,
        changed=payload.changed,
        vanished=payload.vanished,
        deletions=[Deletion(OVERRIDES_OF_IDENTITIES, empty)],
    )


def _senders(sandbox: Sandbox, identities: list[int]) -> set[int]:
    # First those on their way: an event may be stored while we look.
    waiting = senders_on_their_way(sandbox)
    rows = client.fetch("profiles", "senders", sandbox=sandbox, params={"identities": identities})
    return waiting.union(row["identity_id"] for row in rows)
