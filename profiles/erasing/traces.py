"""What the way in still holds of a person: queued requests, records put aside, uploaded files."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from django.db.models import Q
from orjson import JSONDecodeError, dumps, loads

from cdp.datasets.models import Batch, BatchFile
from cdp.datasets.services.uploads import folder_of
from cdp.tenancy.models import Sandbox
from cdp.tenancy.naming import patterns_of
from profiles.sets import execute, select

_REJECTED: Final = """
DELETE FROM datasets_rejectedrecord
WHERE sandbox_id = %(sandbox)s AND raw LIKE ANY(%(patterns)s)
"""
_QUEUED: Final = """
SELECT id, payload::text, body FROM queue_queueitem
WHERE sandbox_id = %(sandbox)s AND (
    payload::text LIKE ANY(%(patterns)s)
    OR EXISTS (SELECT FROM unnest(%(words)s::bytea[]) AS given(word) WHERE position(word IN body) > 0)
)
FOR UPDATE SKIP LOCKED
"""
_BLANK: Final = """
UPDATE queue_queueitem SET payload = %(payload)s::jsonb, body = %(body)s
WHERE sandbox_id = %(sandbox)s AND id = %(id)s
"""


def remove_traces(
    sandbox: Sandbox, values: Iterable[str], batches: Collection[str]
) -> dict[str, int]:
    """Remove what names the person on the way in; return how much of each kind there was.

    In a queued request only her records are emptied, so that the others keep their
    places. Of the batches that brought her, the files kept for a replay go.
    """
    words = sorted({dumps(value).decode() for value in values})
    patterns = patterns_of(words)
    return {
        "rejected records": execute(_REJECTED, sandbox, patterns=patterns),
        "queued requests": _blank_queued(sandbox, words, patterns),
        "uploaded files": _remove_files(sandbox, batches),
    }


def _blank_queued(sandbox: Sandbox, words: list[str], patterns: list[str]) -> int:
    given = {"patterns": patterns, "words": [word.encode() for word in words]}
    values = {loads(word) for word in words}
    count = 0
    for key, payload, body in select(_QUEUED, sandbox, **given):
        execute(
            _BLANK,
            sandbox,
            id=key,
            payload=dumps(_blanked(loads(payload), values)).decode(),
            body=None if body is None else _blanked_body(bytes(body), values),
        )
        count += 1
    return count


def _blanked_body(body: bytes, values: Collection[Any]) -> bytes:
    try:
        content = loads(body)
    except JSONDecodeError:  # no request of ours: nothing of it is kept
        return b"[]"
    return dumps(_blanked(content, values))


def _blanked(content: Any, values: Collection[Any]) -> Any:
    """Empty the items of lists that name the person; outside of a list, the whole content."""
    if isinstance(content, list):
        return [{} if _names(item, values) else item for item in content]
    if isinstance(content, dict) and any(isinstance(own, list) for own in content.values()):
        return {
            key: _blanked(own, values) if isinstance(own, list) else _or_nothing(own, values)
            for key, own in content.items()
        }
    return _or_nothing(content, values)


def _or_nothing(content: Any, values: Collection[Any]) -> Any:
    return {} if _names(content, values) else content


def _names(content: Any, values: Collection[Any]) -> bool:
    if isinstance(content, dict):
        return any(key in values or _names(own, values) for key, own in content.items())
    if isinstance(content, list):
        return any(_names(own, values) for own in content)
    return isinstance(content, str) and content in values


def _remove_files(sandbox: Sandbox, batches: Collection[str]) -> int:
    """Remove the files of batches that are over; those of a batch in work are read first."""
    count = 0
    for batch in _over(sandbox, batches):
        files = BatchFile.objects.for_sandbox(sandbox).filter(batch=batch)
        count += files.count()
        files.delete()
        folder_of(batch).remove()
    return count


def _over(sandbox: Sandbox, batches: Collection[str]) -> Iterator[Batch]:
    named = Q(pk__in=batches) | Q(files_of__in=batches)
    over = Batch.objects.for_sandbox(sandbox).filter(named, completed_at__isnull=False)
    yield from over.select_related("sandbox")
