"""Do the snapshots in the event store say what PostgreSQL says, and does it contradict itself?"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic, sleep
from typing import Any, Final

from orjson import OPT_SORT_KEYS, dumps, loads

from cdp.clickhouse import client
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.ingest.batches import has_open_batches, open_batches
from profiles.ingest.snapshots import read_parts
from profiles.models import Profile
from profiles.selectors.rules import default_policy
from profiles.sets import select
from profiles.stitching.locks import await_graphs

SLICE: Final = 5_000
PATIENCE: Final = timedelta(minutes=1)
_PAUSE: Final = timedelta(milliseconds=200)
_ACTOR: Final = Actor.system("profiles.agreement")
_CONTRADICTED: Final = """
SELECT coalesce(profile.id, own.profile_id)
FROM (SELECT id, members FROM profiles_profile WHERE sandbox_id = %(sandbox)s) AS profile
FULL JOIN (
    SELECT profile_id, array_agg(id ORDER BY id) AS members FROM profiles_identity
    WHERE sandbox_id = %(sandbox)s GROUP BY profile_id
) AS own ON own.profile_id = profile.id
WHERE coalesce(profile.members, '{}') <> coalesce(own.members, '{}')
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What a store says of a profile, and as of which version."""

    version: int
    body: bytes


def disagreements() -> Iterator[str]:
    """Yield a sentence for each sandbox whose snapshots differ; it is without open batches."""
    for sandbox in Sandbox.objects.select_related("organization").order_by("pk"):
        if not open_batches(sandbox):
            yield from differences(sandbox)


def differences(sandbox: Sandbox) -> Iterator[str]:
    """Yield what differs between the snapshots and a merge of what PostgreSQL holds.

    And whose identities say that they are another's. It may be written meanwhile: what differs
    at first sight is looked at again while nobody may change the graphs, and news that are on
    their way to the event store are waited for.
    """
    with scope(sandbox, _ACTOR):
        contradicted = select(_CONTRADICTED, sandbox)
    for (profile,) in contradicted:
        yield f"Profile {profile} of {sandbox}: its members are not the identities that name it."
    after: int | None = 0
    while after is not None:
        suspects, after = _suspects(sandbox, after)
        yield from _confirmed(sandbox, suspects)


def stored_numbers(sandbox: Sandbox, after: int, limit: int) -> list[int]:
    """Return the next profiles that the event store has snapshots of."""
    rows = client.fetch(
        "profiles",
        "snapshot_numbers",
        sandbox=sandbox,
        params={"after": after, "limit": limit},
        budget=client.MAINTENANCE,
    )
    return [row["profile_id"] for row in rows]


def _suspects(sandbox: Sandbox, after: int) -> tuple[list[int], int | None]:
    """Compare a slice; return the profiles that differ, and the last one, None behind the last."""
    with scope(sandbox, _ACTOR):
        standing = Profile.objects.for_sandbox(sandbox).filter(vanished=False, pk__gt=after)
        profiles = dict(standing.order_by("pk").values_list("pk", "version")[:SLICE])
        expected = _expected(sandbox, profiles)
    upto = max(profiles) if len(profiles) == SLICE else None
    stored = _stored(sandbox, "snapshots", after=after, upto=upto or 2**63, limit=SLICE)
    if len(stored) == SLICE:  # there may be more of them than of those that stand
        upto = max(stored)
    differing = _differing(expected, stored)
    return [profile for profile in differing if upto is None or profile <= upto], upto


def _confirmed(sandbox: Sandbox, suspects: Collection[int]) -> Iterator[str]:
    """Yield a sentence for each of these profiles that does differ."""
    patience = monotonic() + PATIENCE.total_seconds()
    while suspects:
        with scope(sandbox, _ACTOR):
            await_graphs(sandbox, f"{PATIENCE.total_seconds():.0f}s")
            is_final = not has_open_batches(sandbox)
            expected = _expected(sandbox, _standing(sandbox, suspects))
            stored = _stored(sandbox, "snapshots_of", profiles=list(suspects))
        is_late = monotonic() > patience
        suspects = []
        for profile in _differing(expected, stored):
            ours, theirs = expected.get(profile), stored.get(profile)
            if is_final or (ours and theirs and ours.version == theirs.version):
                yield f"Profile {profile} of {sandbox}: {_difference(ours, theirs)}"
            elif is_late:
                yield f"Profile {profile} of {sandbox}: its news are in a batch that stays open."
            else:
                suspects.append(profile)
        if suspects:
            sleep(_PAUSE.total_seconds())


def _differing(expected: Mapping[int, _Snapshot], stored: Mapping[int, _Snapshot]) -> list[int]:
    return [
        profile
        for profile in sorted(expected.keys() | stored.keys())
        if _body(expected.get(profile)) != _body(stored.get(profile))
    ]


def _body(snapshot: _Snapshot | None) -> bytes | None:
    return snapshot.body if snapshot else None


def _difference(expected: _Snapshot | None, stored: _Snapshot | None) -> str:
    if stored is None:
        return "the event store has no snapshot of it."
    if expected is None:
        return "the event store has a snapshot, but there is no such profile."
    return "its snapshot differs from what its datasets say."


def _standing(sandbox: Sandbox, profiles: Collection[int]) -> dict[int, int]:
    rows = Profile.objects.for_sandbox(sandbox).filter(vanished=False, pk__in=profiles)
    return dict(rows.values_list("pk", "version"))


def _expected(sandbox: Sandbox, versions: Mapping[int, int]) -> dict[int, _Snapshot]:
    policy = default_policy(sandbox)
    tenant = sandbox.organization.tenant_namespace
    return {
        profile: _Snapshot(
            versions[profile],
            canonical({**parts.merged(policy, tenant), "identityMap": parts.identity_map()}),
        )
        for profile, parts in read_parts(sandbox, versions).items()
    }


def _stored(sandbox: Sandbox, name: str, **params: Any) -> dict[int, _Snapshot]:
    rows = client.fetch("profiles", name, sandbox=sandbox, params=params, budget=client.MAINTENANCE)
    return {
        row["profile_id"]: _Snapshot(row["version"], canonical(loads(row["body"]))) for row in rows
    }


def canonical(document: Mapping[str, Any]) -> bytes:
    """Write a document so that equal ones are equal bytes, as far as the store can tell.

    The store leaves out what is null or empty, cuts keys at their dots, and writes whole
    floats as integers when it writes JSON.
    """
    return dumps(_plain(document), option=OPT_SORT_KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        plain: dict[str, Any] = {}
        for key, below in value.items():
            here = _plain(below)
            if here is None:
                continue
            *above, last = key.split(".")
            place = plain
            for part in above:
                place = place.setdefault(part, {})
            place[last] = here
        return plain or None
    if isinstance(value, list):
        return [_plain(item) for item in value] or None
    return int(value) if isinstance(value, float) and value.is_integer() else value
