"""Putting work on the queue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from orjson import dumps
from psycopg2 import Binary
from psycopg2.extras import execute_values

from cdp.queue.waking import wake
from cdp.tenancy.models import Sandbox

_COLUMNS = (
    "(sandbox_id, topic, key, payload, body, count, created_at, available_at, attempts, error)"
)
_PUBLISH = f"""
INSERT INTO queue_queueitem {_COLUMNS} VALUES (%s, %s, %s, %s::jsonb, %s, %s, %s, %s, 0, '')
"""
_PUBLISH_MANY = f"INSERT INTO queue_queueitem {_COLUMNS} VALUES %s"
_MANY_TEMPLATE = "(%s, %s, %s, %s::jsonb, %s, %s, %s, %s, 0, '')"


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
    the future the row rests until then. Rows of one sandbox are handed out oldest
    first, but no order is promised: two workers may hold neighbours.
    """
    message = Message(payload, key, body, count, available_at)
    with connection.cursor() as cursor:
        cursor.execute(_PUBLISH, _row(topic, sandbox, message, timezone.now()))
    transaction.on_commit(partial(wake, topic), robust=True)


def publish_many(topic: str, messages: Iterable[Message], *, sandbox: Sandbox) -> int:
    """Put many rows on the queue in few statements; return how many. Otherwise as `publish`."""
    now = timezone.now()
    rows = [_row(topic, sandbox, message, now) for message in messages]
    if not rows:
        return 0
    with connection.cursor() as cursor, connection.wrap_database_errors:
        execute_values(cursor.cursor, _PUBLISH_MANY, rows, template=_MANY_TEMPLATE, page_size=1000)
    transaction.on_commit(partial(wake, topic), robust=True)
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
