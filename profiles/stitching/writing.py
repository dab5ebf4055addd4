"""Writing changed graphs: one statement for each kind of row, rows in the order of their ids."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from cdp.tenancy.models import Sandbox
from profiles.identity.neighbourhood import Held, Pair
from profiles.identity.rules import Identity
from profiles.sets import OWN, as_json, execute, numbers_array, slices, texts_array
from profiles.stitching.known import Known
from profiles.stitching.owners import Owners
from profiles.stitching.sightings import Together

_FOUND = """
INSERT INTO profiles_profile
    (id, sandbox_id, founder, members, vanished, clear, version, segments, created_at)
SELECT id, %(sandbox)s, founder, (%(members)s::bigint[])[first:last], false, clear, 0, '{}', %(now)s
FROM unnest(%(ids)s::bigint[], %(founders)s::bigint[], %(first)s::int[], %(last)s::int[],
        %(clear)s::boolean[])
    AS given(id, founder, first, last, clear)
"""
# What is given is found by its place among sorted numbers, not by a join: of rows that are
# named by number, PostgreSQL expects one where there are thousands, and would compare each of
# them with each that is given.
_REGROUP = f"""
UPDATE profiles_profile SET vanished = (id = ANY(%(gone)s::bigint[])), members = given.members[
    given.first[width_bucket(id, given.ids)] : given.last[width_bucket(id, given.ids)]]
FROM (SELECT %(ids)s::bigint[] AS ids, %(members)s::bigint[] AS members, %(first)s::int[] AS first,
    %(last)s::int[] AS last) AS given
WHERE {OWN} AND id = ANY(given.ids)
"""
_CLEAR = f"""
UPDATE profiles_profile SET clear = (id = ANY(%(clear)s))
WHERE {OWN} AND id = ANY(%(judged)s) AND clear <> (id = ANY(%(clear)s))
"""
_ADD = """
INSERT INTO profiles_identity
    (id, sandbox_id, namespace, value, profile_id, founded, crowd, created_at)
SELECT id, %(sandbox)s, namespace, value, profile, founded, crowd, %(now)s
FROM (
    SELECT unnest(%(ids)s::bigint[]) AS id, unnest(%(namespaces)s::text[]) AS namespace,
        unnest(%(values)s::text[]) AS value, unnest(%(profiles)s::bigint[]) AS profile,
        unnest(%(founded)s::bigint[]) AS founded, unnest(%(crowds)s::bigint[]) AS crowd
) AS given
"""
_MOVE = f"""
UPDATE profiles_identity AS stored SET
    profile_id = given.profiles[width_bucket(stored.id, given.ids)],
    founded = given.founded[width_bucket(stored.id, given.ids)],
    crowd = given.crowds[width_bucket(stored.id, given.ids)]
FROM (SELECT %(ids)s::bigint[] AS ids, %(profiles)s::bigint[] AS profiles,
    %(founded)s::bigint[] AS founded, %(crowds)s::bigint[] AS crowds) AS given
WHERE stored.{OWN} AND stored.id = ANY(given.ids)
"""
_REHOME = f"""
UPDATE profiles_identity
SET profile_id = (%(heirs)s::bigint[])[width_bucket(profile_id, %(vanished)s::bigint[])]
WHERE {OWN} AND id = ANY(%(ids)s::bigint[])
"""
# Ids of datasets hold no commas. Here and above, arrays are unnested where columns are named:
# a function that stands for a table gathers all its rows before it hands the first one on.
_ADD_LINKS = """
INSERT INTO profiles_identitylink AS stored
    (sandbox_id, a, b, first_seen, last_seen, datasets, record, batch_id, by_a, by_b)
SELECT %(sandbox)s, a, b, to_timestamp(first / 1000.0::float8), to_timestamp(last / 1000.0::float8),
    string_to_array(datasets, ','), record, batch, by_a, by_b
FROM (
    SELECT unnest(%(a)s::bigint[]) AS a, unnest(%(b)s::bigint[]) AS b,
        unnest(%(first)s::bigint[]) AS first, unnest(%(last)s::bigint[]) AS last,
        unnest(%(datasets)s::text[]) AS datasets, unnest(%(records)s::text[]) AS record,
        unnest(%(batches)s::text[]) AS batch,
        unnest(%(by_a)s::boolean[]) AS by_a, unnest(%(by_b)s::boolean[]) AS by_b
) AS given
"""
_LINK = f"""{_ADD_LINKS}
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
        vanished = sorted(heirs)
        execute(
            _REHOME,
            sandbox,
            ids=numbers_array(identities),
            vanished=numbers_array(vanished),
            heirs=numbers_array(heirs[profile] for profile in vanished),
        )


def write_links(
    sandbox: Sandbox,
    seen: Mapping[Pair, Together],
    held: Mapping[Pair, Held],
    new: Collection[int],
) -> None:
    """Store the links that a batch saw; one that neither end keeps is not stored.

    `held` tells who keeps a link; one that is not there is kept by both ends. Those of
    `new` identities cannot have been stored before, so nobody has to look.
    """
    kept = [p for p in sorted(seen) if p not in held or held[p].by_a or held[p].by_b]
    for statement, pairs in (
        (_ADD_LINKS, [pair for pair in kept if pair[1] in new]),
        (_LINK, [pair for pair in kept if pair[1] not in new]),
    ):
        if pairs:
            execute(statement, sandbox, **_columns_of_links(pairs, seen, held))


def _columns_of_links(
    pairs: Sequence[Pair], seen: Mapping[Pair, Together], held: Mapping[Pair, Held]
) -> dict[str, str]:
    first, last, datasets, records, batches = zip(*(seen[pair] for pair in pairs), strict=True)
    _, by_a, by_b = zip(*(held.get(pair, _BY_BOTH) for pair in pairs), strict=True)
    joined = {some: ",".join(sorted(some)) for some in set(datasets)}
    return {
        "a": numbers_array(a for a, _ in pairs),
        "b": numbers_array(b for _, b in pairs),
        "first": numbers_array(first),
        "last": numbers_array(last),
        "datasets": texts_array(joined[some] for some in datasets),
        "records": texts_array(records),
        "batches": texts_array(batches),
        "by_a": numbers_array(by_a),
        "by_b": numbers_array(by_b),
    }


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
        members, first, last = slices(owners.members[profile] for profile in owners.founded)
        execute(
            _FOUND,
            sandbox,
            ids=numbers_array(owners.founded),
            founders=numbers_array(owners.founded.values()),
            members=members,
            first=first,
            last=last,
            clear=numbers_array(profile in owners.clear for profile in owners.founded),
            now=now,
        )
    gone: dict[int, Sequence[int]] = dict.fromkeys(owners.vanished, ())
    stored = {**owners.members, **gone}
    ids = sorted(stored.keys() - owners.founded.keys())
    if ids:
        members, first, last = slices(stored[profile] for profile in ids)
        execute(
            _REGROUP,
            sandbox,
            ids=numbers_array(ids),
            members=members,
            first=first,
            last=last,
            gone=numbers_array(gone),
        )
    judged = (owners.clear | owners.disputed).difference(owners.founded)
    if judged:
        execute(_CLEAR, sandbox, clear=list(owners.clear), judged=list(judged))


def _add(
    sandbox: Sandbox, members: Sequence[Known], new: Mapping[int, Identity], now: datetime
) -> None:
    if members:
        namespaces, values = zip(*(new[one.id] for one in members), strict=True)
        execute(
            _ADD,
            sandbox,
            namespaces=texts_array(namespaces),
            values=texts_array(values),
            now=now,
            **_columns(members),
        )


def _columns(members: Sequence[Known]) -> dict[str, Any]:
    columns = map(numbers_array, zip(*members, strict=True))
    return dict(zip(("ids", "profiles", "founded", "crowds"), columns, strict=True))
