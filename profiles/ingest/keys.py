"""Which events have come before: each counts once.

The keys are taken in the transaction that decides on a batch, so a batch that is
tried again finds its own keys gone with the rollback, or itself already decided.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from hashlib import blake2b

from cdp.datasets.records import Accepted
from cdp.tenancy.models import Sandbox
from profiles.ingest.months import month_of
from profiles.sets import OWN, execute, select

# A key of an earlier month is looked for there; within this month the index decides.
_TAKE = """
INSERT INTO profiles_eventkey (month, sandbox_id, hash)
SELECT %(month)s, %(sandbox)s, given.hash
FROM unnest(%(hashes)s::uuid[]) AS given(hash)
LEFT JOIN LATERAL (
    SELECT stored.hash FROM profiles_eventkey AS stored
    WHERE stored.hash = given.hash AND stored.month >= %(oldest)s AND stored.month < %(month)s
    LIMIT 1
) AS earlier ON true
WHERE earlier.hash IS NULL
ORDER BY given.hash
ON CONFLICT DO NOTHING
RETURNING hash::text
"""
_GIVE_BACK = f"DELETE FROM profiles_eventkey WHERE {OWN} AND hash = ANY(%(hashes)s::uuid[])"


def key_of(sandbox: Sandbox, scope: str, event_id: str) -> str:
    """Hash an event's id within what it is unique in, as 32 hexadecimal digits."""
    return blake2b(f"{sandbox.pk}\0{scope}\0{event_id}".encode(), digest_size=16).hexdigest()


def take_keys(sandbox: Sandbox, events: Sequence[Accepted], now: datetime) -> list[Accepted]:
    """Take the keys of these events, and return the events that had come before.

    Of several with one id in the batch the first counts.
    """
    if not events:
        return []
    keys = [key_of(sandbox, event.dedup_scope, event.event_id) for event in events]
    horizon = timedelta(days=max(event.dataset.dedup_days for event in events))
    new = _take(sandbox, keys, now.date(), (now - horizon).date())
    duplicates = []
    for event, key in zip(events, keys, strict=True):
        if key in new:
            new.remove(key)
        else:
            duplicates.append(event)
    return duplicates


def give_back_keys(sandbox: Sandbox, keys: Iterable[str]) -> None:
    """Forget keys of events that are not stored after all, so that they may come again."""
    execute(_GIVE_BACK, sandbox, hashes=_array(keys))


def _take(sandbox: Sandbox, keys: Iterable[str], today: date, since: date) -> set[str]:
    taken = select(
        _TAKE,
        sandbox,
        month=month_of(today),
        oldest=month_of(since),
        hashes=_array(dict.fromkeys(keys)),
    )
    return {key.replace("-", "") for (key,) in taken}


def _array(keys: Iterable[str]) -> str:
    return "{" + ",".join(keys) + "}"
