"""Putting work on the queue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from orjson import dumps
from psycopg2 import Binary

from cdp.queue.waking import wake, wake_later
from cdp.tenancy.models import Sandbox

_INSERT = """
INSERT INTO queue_queueitem
    (sandbox_id, topic, key, payload, body, count, created_at, available_at, attempts, deaths,
     error)
VALUES
"""
_ROW = "(%s, %s, %s, %s::jsonb, %s, %s, %s, %s, 0, 0, '')"
ROWS_A_STATEMENT = 1000


@dataclass(frozen=True, slots=True)
class Message:
    """One row for `publish_many`."""

    payload: Mapping[str, Any]
    key: str | None = None
    body: bytes | None = None
    count: int = 1
    available_at: datetime | None = None


def publish(
    topic: str,
    payload: Mapping[str, Any],
    *,
    sandbox: Sandbox,
    key: str | None = None,
    body: bytes | None = None,
    count: int = 1,
    available_at: datetime | None = None,
) -> None:
    """Put one row on the queue in the caller's transaction, and wake a worker when it commits.

    `count` is the number of records inside, for the backlog. With `available_at` in
    the future the row rests until then, and so does the worker. Rows of one sandbox are handed out oldest
    first, but no order is promised: two workers may hold neighbours.
    """
    publish_many(topic, [Message(payload, key, body, count, available_at)], sandbox=sandbox)


def publish_many(topic: str, messages: Iterable[Message], *, sandbox: Sandbox) -> int:
    """Put many rows on the queue in few statements; return how many. Otherwise as `publish`."""
    now, messages = timezone.now(), list(messages)
    rows = [_row(topic, sandbox, message, now) for message in messages]
    if not rows:
        return 0
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            some = rows[start : start + ROWS_A_STATEMENT]
            cursor.execute(_INSERT + ", ".join([_ROW] * len(some)), list(chain(*some)))
    first = min(message.available_at or now for message in messages)
    wait = (first - now).total_seconds()
    waking = partial(wake_later, topic, wait) if wait > 0 else partial(wake, topic)
    transaction.on_commit(waking, robust=True)
    return len(rows)


def _row(topic: str, sandbox: Sandbox, message: Message, now: datetime) -> tuple[Any, ...]:
    return (
        sandbox.pk,
        topic,
        message.key,
        dumps(message.payload).decode(),
        None if message.body is None else Binary(message.body),
        message.count,
        now,
        message.available_at or now,
    )
