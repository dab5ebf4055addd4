"""People of whom only anonymous identities are known go after a time without a word from them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.utils import timezone

from cdp.clickhouse import client
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.erasing.people import remove
from profiles.ingest.batches import senders_on_their_way
from profiles.ingest.keeping import hand_over
from profiles.models import RetentionSettings
from profiles.sets import select
from profiles.stitching.locks import await_graphs

SLICE: Final = 2_000
ACTOR: Final = Actor.system("profiles.expiry")
_EVERY: Final = timedelta(days=1)
_PATIENCE: Final = "60s"
# Profiles behind a number whose identities are all anonymous, with the newest sign of life
# that PostgreSQL knows of.
_SILENT: Final = """
WITH slice AS (
    SELECT id, members, created_at FROM profiles_profile
    WHERE sandbox_id = %(sandbox)s AND id > %(after)s AND NOT vanished
    ORDER BY id LIMIT %(limit)s
)
SELECT slice.id,
    array_agg(DISTINCT identity.id),
    bool_and(identity.namespace = ANY(%(namespaces)s))
        AND greatest(slice.created_at, max(identity.created_at), max(said.taken_at)) < %(before)s
FROM slice
JOIN profiles_identity AS identity ON identity.id = ANY(slice.members)
LEFT JOIN profiles_fragment AS said ON said.identity_id = identity.id
GROUP BY slice.id, slice.created_at ORDER BY slice.id
"""


def expire_due() -> None:
    """Sweep each sandbox that asks for it, once a day."""
    now = timezone.now()
    for sandbox in Sandbox.objects.select_related("organization").order_by("pk"):
        with scope(sandbox, ACTOR):
            due = (
                RetentionSettings.objects.for_sandbox(sandbox)
                .filter(anonymous_days__isnull=False)
                .filter(models.Q(swept_at=None) | models.Q(swept_at__lte=now - _EVERY))
                .first()
            )
        if due is not None:
            expire_anonymous(sandbox, due, now)
            with scope(sandbox, ACTOR):
                RetentionSettings.objects.for_sandbox(sandbox).filter(pk=due.pk).update(
                    swept_at=now
                )


def expire_anonymous(sandbox: Sandbox, settings: RetentionSettings, now: datetime) -> int:
    """Remove anonymous profiles without a sign of life; return how many went."""
    before = now - timedelta(days=settings.anonymous_days or 0)
    removed, after = 0, 0
    while True:
        with scope(sandbox, ACTOR):
            await_graphs(sandbox, _PATIENCE)
            rows = select(
                _SILENT,
                sandbox,
                after=after,
                limit=SLICE,
                namespaces=settings.anonymous_namespaces,
                before=before,
            )
            silent = {profile: own for profile, own, is_silent in rows if is_silent}
            heard = set(_heard_of(sandbox, silent, before))
            going = [profile for profile in silent if profile not in heard]
            if going:
                keys = [key for profile in going for key in silent[profile]]
                hand_over(sandbox, remove(sandbox, keys).payload)
        removed += len(going)
        if len(rows) < SLICE:
            return removed
        after = rows[-1][0]


def _heard_of(sandbox: Sandbox, silent: dict[int, list[int]], before: datetime) -> Iterator[int]:
    """Yield those that have sent an event since, by when it came in; it may still be on its way."""
    owners = {key: profile for profile, keys in silent.items() for key in keys}
    if not owners:
        return
    yield from (owners[key] for key in senders_on_their_way(sandbox).intersection(owners))
    for row in client.fetch(
        "profiles",
        "heard_since",
        sandbox=sandbox,
        params={"identities": list(owners), "since": round(before.timestamp() * 1000)},
        budget=client.STREAMING,
    ):
        yield owners[row["identity_id"]]
