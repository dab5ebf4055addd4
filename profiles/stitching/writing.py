"""Writing changed graphs: one statement for each kind of row, rows in the order of their ids."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cdp.tenancy.models import Sandbox
from profiles.identity.neighbourhood import Held, Pair
from profiles.identity.rules import Identity
from profiles.sets import OWN, as_json, execute
from profiles.stitching.owners import Owners
from profiles.stitching.sightings import Together

_FOUND = """
INSERT INTO profiles_profile (id, sandbox_id, founder, vanished, version, segments, created_at)
SELECT id, %(sandbox)s, founder, false, 0, '{}', %(now)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS given(id bigint, founder bigint) ORDER BY id
"""
_VANISH = f"""
UPDATE profiles_profile SET vanished = (id = ANY(%(gone)s))
WHERE {OWN} AND id = ANY(%(turned)s)
"""
_ADD = """
INSERT INTO profiles_identity
    (id, sandbox_id, namespace, value, profile_id, founded, crowd, created_at)
SELECT id, %(sandbox)s, namespace, value, profile, founded, crowd, %(now)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS given(
    id bigint, namespace text, value text, profile bigint, founded bigint, crowd bigint)
ORDER BY id
"""
_MOVE = f"""
UPDATE profiles_identity AS stored
SET profile_id = given.profile, founded = given.founded, crowd = given.crowd
FROM jsonb_to_recordset(%(rows)s::jsonb) AS given(
    id bigint, profile bigint, founded bigint, crowd bigint)
WHERE stored.{OWN} AND stored.id = given.id
"""
_LINK = """
INSERT INTO profiles_identitylink AS stored
    (sandbox_id, a, b, first_seen, last_seen, datasets, record, batch_id, by_a, by_b)
SELECT %(sandbox)s, a, b, to_timestamp(first / 1000.0), to_timestamp(last / 1000.0), datasets,
    record, batch, by_a, by_b
FROM jsonb_to_recordset(%(rows)s::jsonb) AS given(
    a bigint, b bigint, first bigint, last bigint, datasets text[], record text,
    batch text, by_a boolean, by_b boolean)
ORDER BY a, b
ON CONFLICT (a, b) DO UPDATE SET
    first_seen = least(stored.first_seen, excluded.first_seen),
    last_seen = greatest(stored.last_seen, excluded.last_seen),
    record = CASE WHEN excluded.last_seen >= stored.last_seen
        THEN excluded.record ELSE stored.record END,
    datasets = CASE WHEN stored.datasets @> excluded.datasets THEN stored.datasets
        ELSE ARRAY(SELECT DISTINCT unnest(stored.datasets || excluded.datasets) ORDER BY 1) END,
    batch_id = CASE WHEN stored.batch_id = excluded.batch_id THEN stored.batch_id ELSE '' END,
    by_a = excluded.by_a,
    by_b = excluded.by_b
"""
_KEEP = f"""
UPDATE profiles_identitylink AS stored SET by_a = given.by_a, by_b = given.by_b
FROM jsonb_to_recordset(%(rows)s::jsonb) AS given(a bigint, b bigint, by_a boolean, by_b boolean)
WHERE stored.{OWN} AND stored.a = given.a AND stored.b = given.b
"""
_DROP = f"""
DELETE FROM profiles_identitylink AS stored
USING jsonb_to_recordset(%(rows)s::jsonb) AS given(a bigint, b bigint)
WHERE stored.{OWN} AND stored.a = given.a AND stored.b = given.b
"""


def write_owners(
    sandbox: Sandbox, owners: Owners, new: Mapping[int, Identity], now: datetime
) -> None:
    """Store new profiles and identities, and who has changed hands."""
    founded = [{"id": p, "founder": f} for p, f in owners.founded.items()]
    added = [
        {**member.row(), "namespace": new[member.id].namespace, "value": new[member.id].value}
        for member in owners.moved
        if member.id in new
    ]
    moved = [member.row() for member in owners.moved if member.id not in new]
    turned = [*owners.vanished, *owners.revived]
    _write(_FOUND, sandbox, founded, now=now)
    if turned:
        execute(_VANISH, sandbox, gone=list(owners.vanished), turned=turned)
    _write(_ADD, sandbox, added, now=now)
    _write(_MOVE, sandbox, moved)


def write_links(sandbox: Sandbox, seen: Mapping[Pair, Together], held: Mapping[Pair, Held]) -> None:
    """Store the links that a batch saw; one that neither end keeps is not stored."""
    rows = [
        {
            "a": pair[0],
            "b": pair[1],
            "first": together.first,
            "last": together.last,
            "datasets": sorted(together.datasets),
            "record": together.record,
            "batch": together.batch,
            "by_a": held[pair].by_a,
            "by_b": held[pair].by_b,
        }
        for pair, together in seen.items()
        if held[pair].by_a or held[pair].by_b
    ]
    _write(_LINK, sandbox, rows)


def write_pruned(sandbox: Sandbox, links: Mapping[Pair, Held]) -> None:
    """Store which ends still keep these links; one that neither keeps goes."""
    kept = [
        {"a": a, "b": b, "by_a": held.by_a, "by_b": held.by_b}
        for (a, b), held in links.items()
        if held.by_a or held.by_b
    ]
    gone = [{"a": a, "b": b} for (a, b), held in links.items() if not (held.by_a or held.by_b)]
    _write(_KEEP, sandbox, kept)
    _write(_DROP, sandbox, gone)


def _write(sql: str, sandbox: Sandbox, rows: list[dict[str, Any]], **values: Any) -> None:
    if rows:
        execute(sql, sandbox, rows=as_json(rows), **values)
