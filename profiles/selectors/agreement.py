"""Do the snapshots in the event store say what PostgreSQL says?"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from orjson import OPT_SORT_KEYS, dumps, loads

from cdp.clickhouse import client
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.ingest.batches import open_batches
from profiles.ingest.snapshots import read_parts
from profiles.models import Profile
from profiles.selectors.rules import default_policy

SLICE: Final = 5_000
_ACTOR: Final = Actor.system("profiles.agreement")


def disagreements() -> Iterator[str]:
    """Yield a sentence for each sandbox whose snapshots differ; it is without open batches."""
    for sandbox in Sandbox.objects.select_related("organization").order_by("pk"):
        if not open_batches(sandbox):
            yield from differences(sandbox)


def differences(sandbox: Sandbox) -> Iterator[str]:
    """Yield what differs between the snapshots and a merge of what PostgreSQL holds."""
    for profile, expected, stored in _compared(sandbox):
        if expected != stored:
            yield f"Profile {profile} of {sandbox}: {_difference(expected, stored)}"


def orphaned(sandbox: Sandbox) -> Iterator[int]:
    """Yield the profiles that only the event store knows."""
    for profile, expected, _ in _compared(sandbox):
        if expected is None:
            yield profile


def _compared(sandbox: Sandbox) -> Iterator[tuple[int, bytes | None, bytes | None]]:
    """Yield each profile as it should be and as it is stored, slice by slice."""
    after = 0
    upto: int | None = 0
    while upto is not None:
        with scope(sandbox, _ACTOR):
            expected = _expected(sandbox, after)
        upto = max(expected) if len(expected) == SLICE else None
        stored = _stored(sandbox, after, upto)
        for profile in sorted(expected.keys() | stored.keys()):
            yield profile, expected.get(profile), stored.get(profile)
        after = upto or after


def _difference(expected: bytes | None, stored: bytes | None) -> str:
    if stored is None:
        return "the event store has no snapshot of it."
    if expected is None:
        return "the event store has a snapshot, but there is no such profile."
    return "its snapshot differs from what its datasets say."


def _expected(sandbox: Sandbox, after: int) -> dict[int, bytes]:
    standing = Profile.objects.for_sandbox(sandbox).filter(vanished=False, pk__gt=after)
    profiles = list(standing.order_by("pk").values_list("pk", flat=True)[:SLICE])
    policy = default_policy(sandbox)
    tenant = sandbox.organization.tenant_namespace
    return {
        profile: canonical({**parts.merged(policy, tenant), "identityMap": parts.identity_map()})
        for profile, parts in read_parts(sandbox, profiles).items()
    }


def _stored(sandbox: Sandbox, after: int, upto: int | None) -> dict[int, bytes]:
    rows = client.fetch(
        "profiles",
        "snapshots",
        sandbox=sandbox,
        params={"after": after, "upto": upto or 2**63},
        budget=client.MAINTENANCE,
    )
    return {row["profile_id"]: canonical(loads(row["body"])) for row in rows}


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
