"""What a batch's rows of record datasets change in fragments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orjson import loads

from cdp.datasets.enums import Operation
from cdp.tenancy.models import Sandbox
from profiles.identity.fragment import Fragment, merged, replaced
from profiles.ingest.people import Attributed
from profiles.sets import OWN, as_json, execute, select

Key = tuple[int, str]

_READ = f"""
SELECT stored.identity_id, stored.dataset_id, stored.document::text,
    (extract(epoch FROM stored.taken_at) * 1000)::bigint, stored.times::text
FROM profiles_fragment AS stored
JOIN jsonb_to_recordset(%(rows)s::jsonb) AS given(identity bigint, dataset text)
    ON stored.identity_id = given.identity AND stored.dataset_id = given.dataset
WHERE stored.{OWN}
"""
# A row that came earlier than what is stored has been overtaken, and changes nothing.
_WRITE = """
INSERT INTO profiles_fragment AS stored
    (sandbox_id, identity_id, dataset_id, document, taken_at, times, batch_id)
SELECT %(sandbox)s, identity, dataset, document, to_timestamp(at / 1000.0), times, batch
FROM jsonb_to_recordset(%(rows)s::jsonb) AS given(
    identity bigint, dataset text, document jsonb, at bigint, times jsonb, batch text)
ORDER BY identity, dataset
ON CONFLICT (identity_id, dataset_id) DO UPDATE SET
    document = excluded.document, taken_at = excluded.taken_at, times = excluded.times,
    batch_id = excluded.batch_id
WHERE stored.taken_at <= excluded.taken_at
"""
_DELETE = f"""
DELETE FROM profiles_fragment AS stored
USING jsonb_to_recordset(%(rows)s::jsonb) AS given(identity bigint, dataset text)
WHERE stored.{OWN}
    AND stored.identity_id = given.identity AND stored.dataset_id = given.dataset
"""


@dataclass(slots=True)
class Changes:
    """Fragments to be written, each with the batch of its last row, and those that go."""

    written: dict[Key, Fragment] = field(default_factory=dict)
    batches: dict[Key, str] = field(default_factory=dict)
    deleted: set[Key] = field(default_factory=set)


def apply_rows(
    sandbox: Sandbox, rows: Iterable[Attributed], numbers: Mapping[Any, int]
) -> tuple[set[int], set[int]]:
    """Change the fragments as the rows say.

    Returns the identities whose fragments changed, and those of them that have lost one.
    """
    keyed = [((numbers[row.primary], row.record.dataset.id), row) for row in rows]
    patched = [key for key, row in keyed if row.record.operation == Operation.MERGE]
    changes = fold(keyed, _read(sandbox, patched))
    _store(sandbox, changes)
    lost = {identity for identity, _ in changes.deleted}
    return lost.union(identity for identity, _ in changes.written), lost


def fold(rows: Iterable[tuple[Key, Attributed]], stored: Mapping[Key, Fragment]) -> Changes:
    """Work through rows in order: each replaces, changes or removes its fragment."""
    changes = Changes()
    for key, row in rows:
        record = row.record
        at = round(record.received_at.timestamp() * 1000)
        if record.operation == Operation.DELETE:
            changes.written.pop(key, None)
            changes.deleted.add(key)
            continue
        before = changes.written.get(key)
        if before is None and key not in changes.deleted:
            before = stored.get(key)
        changes.deleted.discard(key)
        changes.batches[key] = record.batch_id
        if record.operation == Operation.MERGE:
            base = before or replaced(*key, {}, at)
            changes.written[key] = merged(base, record.record, at, record.appended)
        else:
            changes.written[key] = replaced(*key, record.record, at)
    return changes


def _read(sandbox: Sandbox, keys: Iterable[Key]) -> dict[Key, Fragment]:
    wanted = [{"identity": identity, "dataset": dataset} for identity, dataset in set(keys)]
    if not wanted:
        return {}
    return {
        (identity, dataset): Fragment(
            identity, dataset, loads(document), at, loads(times) if times else {}
        )
        for identity, dataset, document, at, times in select(_READ, sandbox, rows=as_json(wanted))
    }


def _store(sandbox: Sandbox, changes: Changes) -> None:
    written = [
        {
            "identity": fragment.identity,
            "dataset": fragment.dataset,
            "document": fragment.document,
            "at": fragment.at,
            "times": fragment.times or None,
            "batch": changes.batches[fragment.key],
        }
        for fragment in changes.written.values()
    ]
    deleted = [{"identity": identity, "dataset": dataset} for identity, dataset in changes.deleted]
    if deleted:
        execute(_DELETE, sandbox, rows=as_json(deleted))
    if written:
        execute(_WRITE, sandbox, rows=as_json(written))
