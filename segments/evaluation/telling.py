"""Writing down who entered and who left: the only writer of `Profile.segments`.

Each function runs inside a turn. The row of a profile and the news about it are
written in one transaction; the event store's log follows (`settling.py`), for an
evaluation of a whole sandbox it went before.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import F

from cdp.queue import Message, publish_many
from cdp.tenancy.models import Sandbox
from segments.evaluation import log
from segments.evaluation.log import Moves
from segments.models import Evaluation
from segments.topics import MEMBERSHIPS_CHANGED

PROFILES_A_MESSAGE: Final = 5_000

_READ: Final = """
SELECT id, vanished, segments FROM profiles_profile
WHERE sandbox_id = %s AND id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
_WRITE: Final = """
UPDATE profiles_profile AS profile SET segments = profile.segments || given.segments
FROM jsonb_to_recordset(%s::jsonb) AS given(id bigint, segments jsonb)
WHERE profile.sandbox_id = %s AND profile.id = given.id
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One profile that entered or left one segment."""

    profile: int
    segment: str
    entered: bool


def held_by(sandbox: Sandbox, profiles: Iterable[int]) -> dict[str, list[int]]:
    """Return which of these profiles are in which segment now."""
    held: dict[str, list[int]] = defaultdict(list)
    for profile, _, stored in _read(sandbox, profiles):
        for segment, state in stored.items():
            if state["status"] == "realized":
                held[segment].append(profile)
    return held


def write_found(
    sandbox: Sandbox, found: Mapping[int, frozenset[str]], asked: frozenset[str], at: datetime
) -> list[Change]:
    """Make the segments of these profiles what was found; return what that changes.

    `found` holds every profile looked at, with those of the segments `asked` that it
    is in; memberships of other segments stay. A profile that has been merged into
    another leaves every segment.
    """
    changes: list[Change] = []
    for profile, vanished, stored in _read(sandbox, found):
        held = {key for key, state in stored.items() if state["status"] == "realized"}
        held, now = (held, frozenset[str]()) if vanished else (held & asked, found[profile])
        changes += [Change(profile, segment, entered=True) for segment in sorted(now - held)]
        changes += [Change(profile, segment, entered=False) for segment in sorted(held - now)]
    _write(sandbox, changes, at)
    return changes


def write_changes(
    sandbox: Sandbox, changes: Mapping[int, Mapping[str, bool]], at: datetime
) -> list[Change]:
    """Apply changes as they were logged; return those that were new here."""
    new = [
        Change(profile, segment, entered)
        for profile, _, stored in _read(sandbox, changes)
        for segment, entered in sorted(changes[profile].items())
        if (stored.get(segment, {}).get("status") == "realized") != entered
    ]
    _write(sandbox, new, at)
    return new


def publish_changes(sandbox: Sandbox, evaluation: UUID, changes: Iterable[Change]) -> None:
    """Publish `memberships.changed` for each segment that somebody entered or left."""
    messages = [
        Message(
            {"segment": segment, "evaluation": str(evaluation), "entered": came, "exited": went},
            count=len(came) + len(went),
        )
        for segment, moved in moves(changes).items()
        for came, went in _parts(moved)
    ]
    publish_many(MEMBERSHIPS_CHANGED, messages, sandbox=sandbox)


def moves(changes: Iterable[Change]) -> dict[str, Moves]:
    """Return changes by segment."""
    sorted_out: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for change in changes:
        sorted_out[change.segment][0 if change.entered else 1].append(change.profile)
    return {segment: Moves(came, went) for segment, (came, went) in sorted_out.items()}


def packed(changes: Sequence[Change]) -> bytes:
    """Return changes as an evaluation keeps them."""
    return zlib.compress(orjson.dumps([[c.profile, c.segment, c.entered] for c in changes]), 1)


def unpacked(kept: bytes | memoryview) -> list[Change]:
    """Return what `packed` was given.

    >>> unpacked(packed([Change(7, "seg_a", True)]))
    [Change(profile=7, segment='seg_a', entered=True)]
    """
    return [Change(*values) for values in orjson.loads(zlib.decompress(kept))]


def tell_pending(sandbox: Sandbox, profiles: Sequence[int], whole: Evaluation) -> None:
    """Tell first what an evaluation of the whole sandbox has logged about these profiles.

    Its own slices leave them out, for by then they may be more than it knows of.
    """
    if whole.turn is not None:
        pending = log.changes_of(sandbox, whole.turn, profiles)
        new = write_changes(sandbox, pending, whole.at)
        publish_changes(sandbox, whole.pk, new)
        count_changes(sandbox, whole, new)


def count_changes(sandbox: Sandbox, evaluation: Evaluation, changes: Sequence[Change]) -> None:
    """Count what an evaluation of the whole sandbox has told, whoever told it."""
    entered = sum(change.entered for change in changes)
    rows = Evaluation.objects.for_sandbox(sandbox).filter(pk=evaluation.pk)
    rows.update(entered=F("entered") + entered, exited=F("exited") + len(changes) - entered)


def _read(sandbox: Sandbox, profiles: Iterable[int]) -> list[tuple[int, bool, dict[str, Any]]]:
    with connection.cursor() as cursor:
        cursor.execute(_READ, [sandbox.pk, sorted(profiles)])
        return [(key, vanished, _loaded(stored)) for key, vanished, stored in cursor.fetchall()]


def _write(sandbox: Sandbox, changes: Iterable[Change], at: datetime) -> None:
    moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    changed: dict[int, dict[str, Any]] = defaultdict(dict)
    for change in changes:
        status = "realized" if change.entered else "exited"
        changed[change.profile][change.segment] = {"status": status, "since": moment}
    if changed:
        rows = [{"id": profile, "segments": own} for profile, own in changed.items()]
        with connection.cursor() as cursor:
            cursor.execute(_WRITE, [orjson.dumps(rows).decode(), sandbox.pk])


def _parts(moved: Moves) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    for start in range(0, len(moved.entered), PROFILES_A_MESSAGE):
        yield moved.entered[start : start + PROFILES_A_MESSAGE], []
    for start in range(0, len(moved.exited), PROFILES_A_MESSAGE):
        yield [], moved.exited[start : start + PROFILES_A_MESSAGE]


def _loaded(stored: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads(stored) if isinstance(stored, str) else stored
    return loaded
