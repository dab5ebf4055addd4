"""Who is in an uploaded segment: whoever owns an identity that one of its rows names.

A row of somebody who is not known yet makes nobody: it waits, and she is a member from
when she is known. So merges, splits and new identities need no care of their own.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.selectors.identities import members_of
from profiles.sets import select
from segments.evaluation import log
from segments.models import Evaluation

ROWS_AT_ONCE: Final = log.IDS_AT_ONCE
_ACTOR: Final = Actor.system("segments.evaluate")

COUNTING: Final = """part.stored_at IS NOT NULL AND NOT part.over
  AND part.stored_at + upload.ttl_days * interval '1 day' > %(at)s"""
_AMONG: Final = f"""
SELECT DISTINCT part.upload_id, identity.profile_id
FROM profiles_identity AS identity
JOIN segments_uploadrow AS named
  ON named.value = identity.value AND named.namespace = identity.namespace
  AND named.sandbox_id = identity.sandbox_id
JOIN segments_uploadpart AS part ON part.batch_id = named.batch_id
JOIN segments_upload AS upload ON upload.segment_id = part.upload_id
WHERE identity.sandbox_id + 0 = %(sandbox)s AND identity.id = ANY(%(identities)s)
  AND part.upload_id = ANY(%(segments)s) AND {COUNTING}
"""
_PARTS: Final = f"""
SELECT part.batch_id FROM segments_uploadpart AS part
JOIN segments_upload AS upload ON upload.segment_id = part.upload_id
WHERE part.sandbox_id = %(sandbox)s AND part.upload_id = %(segment)s AND {COUNTING}
ORDER BY part.batch_id
"""
_PAGE: Final = """
SELECT named.id, identity.profile_id FROM (
  SELECT id, namespace, value FROM segments_uploadrow
  WHERE sandbox_id + 0 = %(sandbox)s AND batch_id = %(batch)s AND id > %(after)s
  ORDER BY id LIMIT %(most)s
) AS named
LEFT JOIN profiles_identity AS identity
  ON identity.sandbox_id = %(sandbox)s AND identity.namespace = named.namespace
  AND identity.value = named.value
"""


def uploaded_among(
    sandbox: Sandbox, segments: Sequence[str], profiles: Sequence[int], at: datetime
) -> dict[str, list[int]]:
    """Return which of these profiles are in which uploaded segment."""
    found: dict[str, list[int]] = defaultdict(list)
    if segments:
        identities = list(members_of(sandbox, profiles))
        values = {"segments": list(segments), "identities": identities, "at": at}
        for segment, profile in select(_AMONG, sandbox, **values):
            found[segment].append(profile)
    return found


def write_uploaded(sandbox: Sandbox, evaluation: Evaluation, segment: str) -> None:
    """Give the event store the members of an uploaded segment, a page of rows at a time."""
    log.write_found_members(sandbox, evaluation.pk, segment, "", [])  # somebody must, if nobody is
    with scope(sandbox, _ACTOR):
        parts = select(_PARTS, sandbox, segment=segment, at=evaluation.at)
    for (batch,) in parts:
        for after, members in _pages(sandbox, batch):
            place = f"{batch}:{after}"
            log.write_found_members(sandbox, evaluation.pk, segment, place, members)


def _pages(sandbox: Sandbox, batch: str) -> Iterator[tuple[int, list[int]]]:
    after = 0
    while True:
        with scope(sandbox, _ACTOR):
            rows = select(_PAGE, sandbox, batch=batch, after=after, most=ROWS_AT_ONCE)
        if not rows:
            return
        after = max(row for row, _ in rows)
        yield after, sorted({profile for _, profile in rows if profile is not None})
