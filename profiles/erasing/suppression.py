"""Whoever was erased stays so: old data that name her are refused, though nobody knows her name.

Kept are hashes alone. What she does after the erasure may come in again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from typing import Final

from cdp.datasets.records import Accepted, Rejection
from cdp.errors import FieldError
from cdp.tenancy.models import Sandbox
from profiles.identity.fragment import source_time
from profiles.identity.rules import Identity
from profiles.ingest.people import Attributed, Readers, milliseconds
from profiles.models import Suppression
from profiles.sets import select

_FIND: Final = """
SELECT stored.hash::text, (extract(epoch FROM stored.erased_at) * 1000)::bigint
FROM unnest(%(hashes)s::uuid[]) AS given(hash)
CROSS JOIN LATERAL (
    SELECT hash, erased_at FROM profiles_suppression AS one
    WHERE one.hash = given.hash AND one.sandbox_id = %(sandbox)s LIMIT 1
) AS stored
"""
_ERASED: Final[FieldError] = {
    "path": "identityMap",
    "code": "erased",
    "detail": "It is of the time before the person was erased, and is not kept.",
}


def suppress(sandbox: Sandbox, identities: Iterable[Identity], now: datetime) -> None:
    """Refuse from now on what these identities did before now."""
    Suppression.objects.bulk_create(
        [
            Suppression(sandbox=sandbox, hash=_hash(sandbox, identity), erased_at=now)
            for identity in identities
        ],
        update_conflicts=True,
        unique_fields=["hash"],
        update_fields=["erased_at"],
    )


def refuse_erased(
    sandbox: Sandbox, attributed: Sequence[Attributed], readers: Readers
) -> tuple[list[Attributed], list[Rejection]]:
    """Leave out records of erased persons. Of what is refused nothing is kept but the place.

    Whoever a record names counts, also where its dataset makes nobody of them.
    """
    if not Suppression.objects.for_sandbox(sandbox).exists():
        return list(attributed), []
    named = [one.identities or readers.read(one.record).identities for one in attributed]
    erased = _erased(sandbox, {identity for some in named for identity in some})
    kept, refused = [], []
    for one, identities in zip(attributed, named, strict=True):
        if _is_old(one.record, identities, erased):
            aside = Rejection.of(one.record, [_ERASED])
            refused.append(replace(aside, record={}, dedup_scope=""))
        else:
            kept.append(one)
    return kept, refused


def erased_among(sandbox: Sandbox, identities: Iterable[Identity]) -> set[Identity]:
    """Return which of these identities were erased once, for what has no time of its own."""
    if not Suppression.objects.for_sandbox(sandbox).exists():
        return set()
    return set(_erased(sandbox, identities))


def _is_old(
    record: Accepted, identities: Iterable[Identity], erased: Mapping[Identity, int]
) -> bool:
    """Tell whether a record is of the time before any of its identities was erased.

    Rows say when they came, not when they were true; only the source's own time will do.
    """
    since = max((erased.get(identity, 0) for identity in identities), default=0)
    if not since:
        return False
    if record.dataset.is_events:
        return milliseconds(record) <= since
    return (source_time(record.record) or 0) <= since


def _erased(sandbox: Sandbox, identities: Iterable[Identity]) -> dict[Identity, int]:
    hashes = {_hash(sandbox, identity): identity for identity in identities}
    given = "{" + ",".join(hashes) + "}"
    found = select(_FIND, sandbox, hashes=given)
    return {hashes[key.replace("-", "")]: at for key, at in found}


def _hash(sandbox: Sandbox, identity: Identity) -> str:
    text = f"{sandbox.pk}\0{identity.namespace}\0{identity.value}"
    return blake2b(text.encode(), digest_size=16, person=b"erased").hexdigest()
