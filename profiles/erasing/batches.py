"""Taking back what a batch of files has brought."""

from collections.abc import Iterable, Iterator
from typing import Final

from cdp.clickhouse import client
from cdp.tenancy.models import Sandbox
from profiles.erasing.parting import part
from profiles.ingest.deleting import EVENTS_OF_BATCHES, RECORDS_OF_BATCHES
from profiles.ingest.keys import give_back_keys, key_of
from profiles.ingest.payload import Deletion, Payload
from profiles.ingest.regrouped import changed_payload
from profiles.sets import OWN, select

_EVENTS: Final = """
SELECT identity_id, event_id, dataset_id FROM events
WHERE sandbox_id = {sandbox:UInt32} AND batch_id = {batch:String}
"""
_FRAGMENTS: Final = """
DELETE FROM profiles_fragment
WHERE sandbox_id = %(sandbox)s AND dataset_id = %(dataset)s AND batch_id = %(batch)s
RETURNING identity_id
"""
_LINKS: Final = """
DELETE FROM profiles_identitylink
WHERE sandbox_id = %(sandbox)s AND batch_id = %(batch)s AND cut_at IS NULL RETURNING a, b
"""
_OWNERS: Final = f"""
SELECT DISTINCT profile_id FROM profiles_identity WHERE {OWN} AND id = ANY(%(keys)s)
"""


def take_back(sandbox: Sandbox, batch: str, dataset: str) -> Payload:
    """Remove what a batch said, and whom it alone has joined; return what the event store is told.

    A fragment that the batch wrote last goes as a whole: what stood there before it is
    not known any more. The caller holds the sandbox's graphs.
    """
    senders = _forget_keys(sandbox, batch)
    spoken_of = {key for (key,) in select(_FRAGMENTS, sandbox, dataset=dataset, batch=batch)}
    stitched = part(sandbox, [(a, b) for a, b in select(_LINKS, sandbox, batch=batch)])
    touched = profiles_of(sandbox, senders | spoken_of)
    payload = changed_payload(sandbox, stitched, changed=touched)
    return Payload(
        lines=payload.lines,
        changed=payload.changed,
        vanished=payload.vanished,
        deletions=[
            *payload.deletions,
            Deletion(EVENTS_OF_BATCHES, [batch]),
            Deletion(RECORDS_OF_BATCHES, [batch]),
        ],
        emptied=payload.changed,
    )


def profiles_of(sandbox: Sandbox, identities: Iterable[int]) -> set[int]:
    """Return whose these identities are now."""
    return {profile for (profile,) in select(_OWNERS, sandbox, keys=list(identities))}


def _forget_keys(sandbox: Sandbox, batch: str) -> set[int]:
    """Let the batch's events be sent again; return the identities that had sent them."""
    senders: set[int] = set()
    for rows in _blocks(sandbox, batch):
        senders.update(identity for identity, _, _ in rows if identity)
        give_back_keys(sandbox, [key_of(sandbox, dataset, event) for _, event, dataset in rows])
    return senders


def _blocks(sandbox: Sandbox, batch: str) -> Iterator[list[tuple[int, str, str]]]:
    for rows in client.stream(_EVENTS, sandbox=sandbox, params={"batch": batch}):
        yield [(identity, event, dataset) for identity, event, dataset in rows]
