"""Writing down who entered and who left: the only writer of `Profile.segments`.

PostgreSQL decides. One transaction reads the members' rows under the sandbox's
lock, keeps what really changes, publishes it, and leaves it with the evaluation;
the event store's bitmaps and transitions follow from there (`settling.py`).
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from cdp.queue import Message, publish_many
from cdp.tenancy.models import Sandbox
from segments.models import Evaluation
from segments.topics import MEMBERSHIPS_CHANGED

# Advisory locks are numbered by what they guard; this number is never used for anything else.
MEMBERSHIP_LOCK = 5_201
PROFILES_A_MESSAGE = 5_000

_READ = """
SELECT id, segments FROM profiles_profile
WHERE sandbox_id = %s AND id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
_WRITE = """
UPDATE profiles_profile AS profile SET segments = given.segments
FROM jsonb_to_recordset(%s::jsonb) AS given(id bigint, segments jsonb)
WHERE profile.sandbox_id = %s AND profile.id = given.id
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One profile that entered or left one segment."""

    profile: int
    segment: str
    entered: bool


def lock_memberships(sandbox: Sandbox) -> None:
    """Hold the sandbox's memberships until the transaction ends; taking it again is free."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [MEMBERSHIP_LOCK, sandbox.pk])


def write_memberships(
    sandbox: Sandbox,
    *,
    evaluation: UUID,
    kind: str,
    at: datetime,
    members: Mapping[int, frozenset[str]],
    asked: frozenset[str],
) -> list[Change]:
    """Make the segments of these profiles what an evaluation found; return what changed.

    `members` holds every profile that was looked at, with those of the segments in
    `asked` that it is in; memberships of other segments stay. Runs inside the
    sandbox's scope; publishes `memberships.changed`.
    """
    lock_memberships(sandbox)
    with connection.cursor() as cursor:
        cursor.execute(_READ, [sandbox.pk, sorted(members)])
        rows = [(key, _loaded(stored)) for key, stored in cursor.fetchall()]
    changes: list[Change] = []
    written: list[dict[str, Any]] = []
    for profile, stored in rows:
        own = list(_differences(profile, stored, members[profile], asked))
        if own:
            changes += own
            written.append({"id": profile, "segments": _applied(stored, own, at)})
    if changes:
        with connection.cursor() as cursor:
            cursor.execute(_WRITE, [orjson.dumps(written).decode(), sandbox.pk])
        _keep(sandbox, evaluation, kind, at, changes)
        _publish(sandbox, evaluation, changes)
    return changes


def packed(changes: Iterable[Change]) -> bytes:
    """Return changes as an evaluation keeps them."""
    return zlib.compress(orjson.dumps([[c.profile, c.segment, c.entered] for c in changes]), 1)


def unpacked(kept: bytes | memoryview) -> list[Change]:
    """Return what `packed` was given.

    >>> unpacked(packed([Change(7, "seg_a", True)]))
    [Change(profile=7, segment='seg_a', entered=True)]
    """
    return [Change(*values) for values in orjson.loads(zlib.decompress(kept))]


def _differences(
    profile: int, stored: Mapping[str, Any], found: frozenset[str], asked: frozenset[str]
) -> Iterable[Change]:
    held = {key for key, state in stored.items() if state["status"] == "realized"} & asked
    for segment in sorted(found - held):
        yield Change(profile, segment, entered=True)
    for segment in sorted(held - found):
        yield Change(profile, segment, entered=False)


def _applied(stored: dict[str, Any], changes: Iterable[Change], at: datetime) -> dict[str, Any]:
    moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for change in changes:
        status = "realized" if change.entered else "exited"
        stored[change.segment] = {"status": status, "since": moment}
    return stored


def _keep(
    sandbox: Sandbox, evaluation: UUID, kind: str, at: datetime, changes: list[Change]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('segments_evaluation_number')")
        (number,) = cursor.fetchone() or (0,)
    entered = sum(change.entered for change in changes)
    Evaluation.objects.create(
        id=evaluation,
        sandbox=sandbox,
        number=number,
        kind=kind,
        at=at,
        changes=packed(changes),
        entered=entered,
        exited=len(changes) - entered,
    )


def _publish(sandbox: Sandbox, evaluation: UUID, changes: list[Change]) -> None:
    by_segment: dict[str, dict[str, list[int]]] = defaultdict(lambda: {"entered": [], "exited": []})
    for change in changes:
        by_segment[change.segment]["entered" if change.entered else "exited"].append(change.profile)
    messages = [
        Message({"segment": segment, "evaluation": str(evaluation), **part}, count=_size(part))
        for segment, moved in by_segment.items()
        for part in _parts(moved)
    ]
    publish_many(MEMBERSHIPS_CHANGED, messages, sandbox=sandbox)


def _parts(moved: Mapping[str, list[int]]) -> Iterable[dict[str, list[int]]]:
    for direction, profiles in moved.items():
        for start in range(0, len(profiles), PROFILES_A_MESSAGE):
            empty: dict[str, list[int]] = {"entered": [], "exited": []}
            yield empty | {direction: profiles[start : start + PROFILES_A_MESSAGE]}


def _size(part: Mapping[str, list[int]]) -> int:
    return sum(map(len, part.values()))


def _loaded(stored: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads(stored) if isinstance(stored, str) else stored
    return loaded
