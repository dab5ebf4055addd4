"""The event store's log of who entered and who left, and the members that follow from it."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from cdp.clickhouse import client
from cdp.tenancy.models import Sandbox
from segments.language.sql.scan import Statement

# Members as they were kept last, and what has come since: of several changes of one
# profile the latest counts, and one that is in the bitmap already does nothing again.
_NOT_KEPT: Final = """
    FROM transitions
    WHERE sandbox_id = {sandbox:UInt32} AND turn > (
      SELECT min(turn) FROM memberships FINAL WHERE sandbox_id = {sandbox:UInt32})"""
_SINCE: Final = f"""
  SELECT segment_id, change.1 AS profile_id, argMax(change.2, turn) AS inside FROM (
    SELECT segment_id, turn, arrayJoin(arrayConcat(
      arrayMap(p -> (p, 1), bitmapToArray(entered)),
      arrayMap(p -> (p, 0), bitmapToArray(exited)))) AS change{_NOT_KEPT})
  GROUP BY segment_id, profile_id"""
MEMBERS: Final = f"""
SELECT segment_id, bitmapAndnot(bitmapOr(
    groupBitmapMergeStateIf(part, kind = 'kept'),
    groupBitmapMergeStateIf(part, kind = 'entered')),
    groupBitmapMergeStateIf(part, kind = 'exited')) AS members
FROM (
  SELECT segment_id, 'kept' AS kind, members AS part
  FROM memberships FINAL WHERE sandbox_id = {{sandbox:UInt32}}
  UNION ALL
  SELECT segment_id, if(inside = 1, 'entered', 'exited') AS kind, groupBitmapState(profile_id) AS part
  FROM ({_SINCE}) GROUP BY segment_id, kind
)
GROUP BY segment_id"""

_WRITE: Final = """
INSERT INTO transitions (sandbox_id, turn, segment_id, evaluation_id, entered, exited, at)
SELECT {sandbox:UInt32}, {turn:UInt64}, one.1, {evaluation:UUID}, bitmapBuild(one.2),
  bitmapBuild(one.3), fromUnixTimestamp64Milli({at:Int64}, 'UTC')
FROM (SELECT arrayJoin(arrayZip({segments:Array(String)}, {entered:Array(Array(UInt64))},
  {exited:Array(Array(UInt64))})) AS one)"""

_FIND: Final = """
INSERT INTO found_members (sandbox_id, evaluation_id, segment_id, members)
SELECT {sandbox:UInt32}, {evaluation:UUID}, segment_id, members FROM ("""

_FIND_THESE: Final = """
INSERT INTO found_members (sandbox_id, evaluation_id, segment_id, members)
SELECT {sandbox:UInt32}, {evaluation:UUID}, {segment:String}, bitmapBuild({members:Array(UInt64)})"""

# Who is left alone stands among the found, as members of no segment.
_OTHERS: Final = ""
_COMPARE: Final = f"""
INSERT INTO transitions (sandbox_id, turn, segment_id, evaluation_id, entered, exited, at)
SELECT {{sandbox:UInt32}}, {{turn:UInt64}}, segment_id, {{evaluation:UUID}}, entered, exited,
  fromUnixTimestamp64Milli({{at:Int64}}, 'UTC')
FROM (
  WITH (
    SELECT groupBitmapMergeState(members) FROM found_members
    WHERE sandbox_id = {{sandbox:UInt32}} AND evaluation_id = {{evaluation:UUID}}
      AND segment_id = '{_OTHERS}'
  ) AS others
  SELECT found.segment_id AS segment_id,
    bitmapAndnot(bitmapAndnot(found.members, held.members), others) AS entered,
    bitmapAndnot(bitmapAndnot(held.members, found.members), others) AS exited
  FROM (
    SELECT segment_id, groupBitmapMergeState(members) AS members
    FROM found_members
    WHERE sandbox_id = {{sandbox:UInt32}} AND evaluation_id = {{evaluation:UUID}}
      AND segment_id IN {{segments:Array(String)}}
    GROUP BY segment_id
  ) AS found
  LEFT JOIN ({MEMBERS}) AS held ON held.segment_id = found.segment_id
)
WHERE bitmapCardinality(entered) + bitmapCardinality(exited) > 0"""

_LEAVE: Final = f"""
INSERT INTO transitions (sandbox_id, turn, segment_id, evaluation_id, entered, exited, at)
SELECT {{sandbox:UInt32}}, {{turn:UInt64}}, segment_id, {{evaluation:UUID}},
  bitmapBuild(emptyArrayUInt64()), members, fromUnixTimestamp64Milli({{at:Int64}}, 'UTC')
FROM ({MEMBERS}) WHERE segment_id = {{segment:String}} AND bitmapCardinality(members) > 0"""

_KEEP: Final = f"""
INSERT INTO memberships (sandbox_id, segment_id, turn, members)
SELECT {{sandbox:UInt32}}, segment_id, {{turn:UInt64}}, members
FROM ({MEMBERS})"""

IDS_AT_ONCE: Final = 4_000
"""So many ids fit into the address of a request, which is where parameters travel."""


@dataclass(frozen=True, slots=True)
class Moves:
    """The profiles that entered and that left one segment."""

    entered: Sequence[int]
    exited: Sequence[int]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one evaluation changed."""

    evaluation: UUID
    turn: int
    at: int
    moves: Mapping[str, Moves]


def write(sandbox: Sandbox, entry: Entry) -> None:
    """Write what an evaluation changed; the same again changes nothing."""
    for number, moves in enumerate(_small(entry.moves)):
        client.execute(
            _WRITE,
            sandbox=sandbox,
            params={
                "turn": entry.turn,
                "evaluation": str(entry.evaluation),
                "at": entry.at,
                "segments": [segment for segment, _ in moves],
                "entered": [list(moved.entered) for _, moved in moves],
                "exited": [list(moved.exited) for _, moved in moves],
            },
            token=f"{entry.evaluation}:{number}",
            budget=client.STREAMING,
        )


def _small(moves: Mapping[str, Moves]) -> Iterator[list[tuple[str, Moves]]]:
    """Yield moves in parts that fit into one statement."""
    part: list[tuple[str, Moves]] = []
    room = IDS_AT_ONCE
    for segment, moved in moves.items():
        came, went = list(moved.entered), list(moved.exited)
        while came or went:
            if room == 0:
                yield part
                part, room = [], IDS_AT_ONCE
            taken = Moves(came[:room], went[: max(room - len(came), 0)])
            came, went = came[len(taken.entered) :], went[len(taken.exited) :]
            room -= len(taken.entered) + len(taken.exited)
            part.append((segment, taken))
    if part:
        yield part


def write_found(sandbox: Sandbox, evaluation: UUID, found: Statement) -> None:
    """Keep whom a scan finds until they are compared; asked again, what it found first."""
    asked = hashlib.sha256(orjson.dumps([found.text, found.parameters])).hexdigest()
    client.execute(
        f"{_FIND}{found.text})",
        sandbox=sandbox,
        params={**found.parameters, "evaluation": str(evaluation)},
        token=f"{evaluation}:found:{asked}",
    )


def write_found_members(
    sandbox: Sandbox, evaluation: UUID, segment: str, place: str, members: Sequence[int]
) -> None:
    """Keep members that were found elsewhere; `place` tells apart what is one segment's."""
    client.execute(
        _FIND_THESE,
        sandbox=sandbox,
        params={"evaluation": str(evaluation), "segment": segment, "members": list(members)},
        token=f"{evaluation}:found:{segment}:{place}",
    )


def write_differences(
    sandbox: Sandbox,
    *,
    evaluation: UUID,
    attempt: int,
    turn: int,
    at: datetime,
    segments: Iterable[str],
    others: Sequence[int],
) -> None:
    """Compare whom an evaluation has found with who is in, and log the differences.

    `others` are profiles that are left alone. Asked again after a crash, it logs what
    is missing yet: the token is of the attempt, for its rows are others.
    """
    for start in range(0, len(others), IDS_AT_ONCE):
        part = others[start : start + IDS_AT_ONCE]
        write_found_members(sandbox, evaluation, _OTHERS, f"{attempt}:{start}", part)
    client.execute(
        _COMPARE,
        sandbox=sandbox,
        params={
            "evaluation": str(evaluation),
            "turn": turn,
            "at": round(at.timestamp() * 1000),
            "segments": list(segments),
        },
        token=f"{evaluation}:{attempt}",
    )


def write_everybody_left(
    sandbox: Sandbox, evaluation: UUID, turn: int, at: datetime, segment: str
) -> None:
    """Log that all members of a segment have left it."""
    values = {
        "evaluation": str(evaluation),
        "turn": turn,
        "at": round(at.timestamp() * 1000),
        "segment": segment,
    }
    client.execute(_LEAVE, sandbox=sandbox, params=values, token=f"{evaluation}:{turn}")


def forget_everything(sandbox: Sandbox) -> None:
    """Remove the members and the log of a sandbox."""
    for table in ("found_members", "memberships", "transitions"):
        client.execute(
            f"ALTER TABLE {table} DELETE WHERE sandbox_id = {{sandbox:UInt32}}",  # a name of ours
            sandbox=sandbox,
            budget=client.MAINTENANCE,
        )


def keep_members(sandbox: Sandbox, turn: int) -> None:
    """Keep the members as of now, so that the log need not be read from before."""
    token = f"kept:{sandbox.pk}:{turn}"
    client.execute(_KEEP, sandbox=sandbox, params={"turn": turn}, token=token)


def count_since_kept(sandbox: Sandbox) -> int:
    """Return how many changes have to be read beside the members that were kept last."""
    [[count]] = client.fetch_text(
        f"SELECT sum(bitmapCardinality(entered) + bitmapCardinality(exited)){_NOT_KEPT}",
        sandbox=sandbox,
        budget=client.FULL,
    )
    return int(count)


def sizes(sandbox: Sandbox) -> dict[str, int]:
    """Return how many members each segment has."""
    rows = client.fetch_text(
        f"SELECT segment_id, bitmapCardinality(members) FROM ({MEMBERS})",
        sandbox=sandbox,
        budget=client.LOOKUP,
    )
    return dict(rows)


def held_by(sandbox: Sandbox, profiles: Iterable[int]) -> list[tuple[str, int]]:
    """Return the memberships of these profiles, as segment and profile."""
    rows = client.fetch_text(
        f"""
SELECT segment_id, arrayJoin(bitmapToArray(
  bitmapAnd(members, bitmapBuild({{profiles:Array(UInt64)}})))) AS profile
FROM ({MEMBERS}) ORDER BY segment_id, profile""",
        sandbox=sandbox,
        params={"profiles": list(profiles)},
        budget=client.LOOKUP,
    )
    return [(segment, profile) for segment, profile in rows]


def changes_of(sandbox: Sandbox, turn: int, profiles: Iterable[int]) -> dict[int, dict[str, bool]]:
    """Return what a turn changed for these profiles: by segment, whether they entered."""
    return _by_profile(
        client.fetch_text(
            """
SELECT segment_id, bitmapToArray(bitmapAnd(entered, mine)), bitmapToArray(bitmapAnd(exited, mine))
FROM (
  SELECT segment_id, entered, exited, bitmapBuild({profiles:Array(UInt64)}) AS mine
  FROM transitions WHERE sandbox_id = {sandbox:UInt32} AND turn = {turn:UInt64}
)""",
            sandbox=sandbox,
            params={"turn": turn, "profiles": list(profiles)},
            budget=client.LOOKUP,
        )
    )


def next_changes(sandbox: Sandbox, turn: int, after: int, most: int) -> dict[int, dict[str, bool]]:
    """Return what a turn changed for the next so many profiles, in the order of their ids."""
    return _by_profile(
        client.fetch_text(
            """
WITH (
  SELECT bitmapMax(bitmapSubsetLimit(groupBitmapMergeState(moved), {after:UInt64}, {most:UInt64}))
  FROM (
    SELECT bitmapOr(entered, exited) AS moved
    FROM transitions WHERE sandbox_id = {sandbox:UInt32} AND turn = {turn:UInt64}
  )
) AS last
SELECT segment_id,
  bitmapToArray(bitmapSubsetInRange(entered, {after:UInt64}, last + 1)),
  bitmapToArray(bitmapSubsetInRange(exited, {after:UInt64}, last + 1))
FROM transitions WHERE sandbox_id = {sandbox:UInt32} AND turn = {turn:UInt64}""",
            sandbox=sandbox,
            params={"turn": turn, "after": after + 1, "most": most},
            budget=client.LOOKUP,
        )
    )


def count_changed(sandbox: Sandbox, turn: int) -> int:
    """Return for how many profiles a turn changed something."""
    [[count]] = client.fetch_text(
        """
SELECT groupBitmapMerge(bitmapOr(entered, exited))
FROM transitions WHERE sandbox_id = {sandbox:UInt32} AND turn = {turn:UInt64}""",
        sandbox=sandbox,
        params={"turn": turn},
        budget=client.LOOKUP,
    )
    return int(count)


def _by_profile(rows: Iterable[tuple[Any, ...]]) -> dict[int, dict[str, bool]]:
    found: dict[int, dict[str, bool]] = {}
    for segment, entered, exited in rows:
        for profiles, inside in ((entered, True), (exited, False)):
            for profile in profiles:
                found.setdefault(profile, {})[segment] = inside
    return found
