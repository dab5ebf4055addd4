"""Writing changed graphs: one statement for each kind of row, rows in the order of their ids."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from cdp.tenancy.models import Sandbox
from profiles.identity.neighbourhood import Held, Pair
from profiles.identity.rules import Identity
from profiles.sets import OWN, arrays_array, as_json, as_object, execute, numbers_array, texts_array
from profiles.stitching.known import Known
from profiles.stitching.owners import Owners
from profiles.stitching.sightings import Together

_FOUND = """
INSERT INTO profiles_profile
    (id, sandbox_id, founder, members, vanished, clear, version, segments, created_at)
SELECT id, %(sandbox)s, founder, members::bigint[], false, clear, 0, '{}', %(now)s
FROM unnest(%(ids)s::bigint[], %(founders)s::bigint[], %(members)s::text[], %(clear)s::boolean[])
    AS given(id, founder, members, clear)
"""
# Looked up in an object, not joined: of rows found by their numbers, PostgreSQL expects one
# where there are thousands, and would compare each of them with each given one.
_REGROUP = f"""
UPDATE profiles_profile
SET members = (%(members)s::jsonb ->> id::text)::bigint[], vanished = (id = ANY(%(gone)s))
WHERE {OWN} AND id = ANY(%(ids)s)
"""
_CLEAR = f"""
UPDATE profiles_profile SET clear = (id = ANY(%(clear)s))
WHERE {OWN} AND id = ANY(%(judged)s) AND clear <> (id = ANY(%(clear)s))
"""
_ADD = """
INSERT INTO profiles_identity
    (id, sandbox_id, namespace, value, profile_id, founded, crowd, created_at)
SELECT id, %(sandbox)s, namespace, value, profile, founded, crowd, %(now)s
FROM unnest(%(ids)s::bigint[], %(namespaces)s::text[], %(values)s::text[],
        %(profiles)s::bigint[], %(founded)s::bigint[], %(crowds)s::bigint[])
    AS given(id, namespace, value, profile, founded, crowd)
"""
_MOVE = f"""
UPDATE profiles_identity AS stored
SET profile_id = given.profile, founded = given.founded, crowd = given.crowd
FROM unnest(%(ids)s::bigint[], %(profiles)s::bigint[], %(founded)s::bigint[], %(crowds)s::bigint[])
    AS given(id, profile, founded, crowd)
WHERE stored.{OWN} AND stored.id = given.id
"""
_REHOME = f"""
UPDATE profiles_identity SET profile_id = (%(heirs)s::jsonb ->> profile_id::text)::bigint
WHERE {OWN} AND id = ANY(%(ids)s)
"""
# Ids of datasets hold no commas.
_LINK = """
INSERT INTO profiles_identitylink AS stored
    (sandbox_id, a, b, first_seen, last_seen, datasets, record, batch_id, by_a, by_b)
SELECT %(sandbox)s, a, b, to_timestamp(first / 1000.0::float8), to_timestamp(last / 1000.0::float8),
    string_to_array(datasets, ','), record, batch, by_a, by_b
FROM unnest(%(a)s::bigint[], %(b)s::bigint[], %(first)s::bigint[], %(last)s::bigint[],
        %(datasets)s::text[], %(records)s::text[], %(batches)s::text[],
        %(by_a)s::boolean[], %(by_b)s::boolean[])
    AS given(a, b, first, last, datasets, record, batch, by_a, by_b)
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
_BY_BOTH: Final = Held(0)


def write_owners(
    sandbox: Sandbox, owners: Owners, new: Mapping[int, Identity], now: datetime
) -> None:
    """Store new profiles and identities, and who has changed hands."""
    members = sorted(owners.moved)
    _write_profiles(sandbox, owners, now)
    _add(sandbox, [one for one in members if one.id in new], new, now)
    moved = [one for one in members if one.id not in new]
    if moved:
        execute(_MOVE, sandbox, **_columns(moved))


def rehome(sandbox: Sandbox, identities: Collection[int], heirs: Mapping[int, int]) -> None:
    """Give identities to the heirs of their profiles, and leave all else of them as it is."""
    if identities:
        execute(_REHOME, sandbox, ids=list(identities), heirs=as_object(heirs))


def write_links(sandbox: Sandbox, seen: Mapping[Pair, Together], held: Mapping[Pair, Held]) -> None:
    """Store the links that a batch saw; one that neither end keeps is not stored.

    `held` tells who keeps a link; one that is not there is kept by both ends.
    """
    kept = [
        (pair, together, by)
        for pair, together in sorted(seen.items())
        if (by := held.get(pair, _BY_BOTH)).by_a or by.by_b
    ]
    if not kept:
        return
    execute(
        _LINK,
        sandbox,
        a=numbers_array(pair[0] for pair, _, _ in kept),
        b=numbers_array(pair[1] for pair, _, _ in kept),
        first=numbers_array(together.first for _, together, _ in kept),
        last=numbers_array(together.last for _, together, _ in kept),
        datasets=texts_array(",".join(sorted(together.datasets)) for _, together, _ in kept),
        records=texts_array(together.record for _, together, _ in kept),
        batches=texts_array(together.batch for _, together, _ in kept),
        by_a=numbers_array(by.by_a for _, _, by in kept),
        by_b=numbers_array(by.by_b for _, _, by in kept),
    )


def write_pruned(sandbox: Sandbox, links: Mapping[Pair, Held]) -> None:
    """Store which ends still keep these links; one that neither keeps goes."""
    kept = [
        {"a": a, "b": b, "by_a": held.by_a, "by_b": held.by_b}
        for (a, b), held in links.items()
        if held.by_a or held.by_b
    ]
    gone = [{"a": a, "b": b} for (a, b), held in links.items() if not (held.by_a or held.by_b)]
    if kept:
        execute(_KEEP, sandbox, rows=as_json(kept))
    if gone:
        execute(_DROP, sandbox, rows=as_json(gone))


def _write_profiles(sandbox: Sandbox, owners: Owners, now: datetime) -> None:
    if owners.founded:
        execute(
            _FOUND,
            sandbox,
            ids=numbers_array(owners.founded),
            founders=numbers_array(owners.founded.values()),
            members=arrays_array(owners.members[profile] for profile in owners.founded),
            clear=numbers_array(profile in owners.clear for profile in owners.founded),
            now=now,
        )
    gone: dict[int, Sequence[int]] = dict.fromkeys(owners.vanished, ())
    stored = {p: own for p, own in owners.members.items() if p not in owners.founded} | gone
    if stored:
        members = as_object({profile: numbers_array(own) for profile, own in stored.items()})
        execute(_REGROUP, sandbox, ids=list(stored), members=members, gone=list(gone))
    judged = (owners.clear | owners.disputed).difference(owners.founded)
    if judged:
        execute(_CLEAR, sandbox, clear=list(owners.clear), judged=list(judged))


def _add(
    sandbox: Sandbox, members: Sequence[Known], new: Mapping[int, Identity], now: datetime
) -> None:
    if members:
        names = [new[one.id] for one in members]
        execute(
            _ADD,
            sandbox,
            namespaces=texts_array(name.namespace for name in names),
            values=texts_array(name.value for name in names),
            now=now,
            **_columns(members),
        )


def _columns(members: Sequence[Known]) -> dict[str, Any]:
    return {
        "ids": numbers_array(one.id for one in members),
        "profiles": numbers_array(one.profile for one in members),
        "founded": numbers_array(one.founded for one in members),
        "crowds": numbers_array(one.crowd for one in members),
    }
