"""Which rows a free worker gets next.

Sandboxes take turns: a worker goes round them in the order of their ids, so one
that has a million rows waiting delays its neighbours by one claim. A sandbox that
may not be touched now is passed over and never waited for.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.utils import timezone
from orjson import loads

from cdp.queue.claims import Claim, Item
from cdp.queue.subscriptions import Subscription
from cdp.tenancy.authentication import find_sandbox
from cdp.tenancy.scope import bypass

# Jumps from sandbox to sandbox in the index, so it costs what there are sandboxes, not rows.
_DUE_SANDBOXES = """
WITH RECURSIVE ring AS (
    SELECT (
        SELECT sandbox_id FROM queue_queueitem
        WHERE topic = %(topic)s AND buried_at IS NULL AND sandbox_id > %(after)s
        ORDER BY sandbox_id LIMIT 1
    ) AS sandbox_id
    UNION ALL
    SELECT (
        SELECT item.sandbox_id FROM queue_queueitem AS item
        WHERE item.topic = %(topic)s AND item.buried_at IS NULL
            AND item.sandbox_id > ring.sandbox_id
        ORDER BY item.sandbox_id LIMIT 1
    ) FROM ring WHERE ring.sandbox_id IS NOT NULL
)
SELECT sandbox_id FROM ring
WHERE sandbox_id <= %(last)s
    AND EXISTS (
        SELECT FROM queue_queueitem AS item
        WHERE item.topic = %(topic)s AND item.sandbox_id = ring.sandbox_id
            AND item.buried_at IS NULL AND item.available_at <= %(now)s
    )
    AND NOT (%(exclusive)s AND EXISTS (
        SELECT FROM queue_queueitem AS held
        WHERE held.topic = %(topic)s AND held.sandbox_id = ring.sandbox_id
            AND held.claim IS NOT NULL AND held.available_at > %(now)s
    ))
LIMIT %(limit)s
"""
# Rows that have failed together are tried one by one: each then answers for itself alone.
_TAKE = """
WITH candidates AS MATERIALIZED (
    SELECT id, available_at, count, coalesce(octet_length(body), 0) AS size,
        attempts + deaths + (claim IS NOT NULL)::int AS failures
    FROM queue_queueitem
    WHERE topic = %(topic)s AND sandbox_id = %(sandbox)s
        AND buried_at IS NULL AND available_at <= %(now)s
        AND NOT (%(exclusive)s AND EXISTS (
            SELECT FROM queue_queueitem AS held
            WHERE held.topic = %(topic)s AND held.sandbox_id = %(sandbox)s
                AND held.claim IS NOT NULL AND held.available_at > %(now)s
        ))
    ORDER BY available_at, id LIMIT %(batch)s
    FOR UPDATE SKIP LOCKED
), ranked AS (
    SELECT id, failures,
        row_number() OVER before AS place,
        first_value(failures) OVER before AS first_failures,
        sum(count) OVER before AS records,
        sum(size) OVER before AS bytes
    FROM candidates
    WINDOW before AS (ORDER BY available_at, id ROWS UNBOUNDED PRECEDING)
), chosen AS (
    SELECT id FROM ranked
    WHERE place = 1 OR (
        first_failures < %(together)s AND failures < %(together)s
        AND records <= %(records)s AND bytes <= %(size)s
    )
)
UPDATE queue_queueitem AS item
SET claim = %(token)s, available_at = %(until)s,
    deaths = item.deaths + (item.claim IS NOT NULL)::int  -- whoever held it never settled it
FROM chosen WHERE item.id = chosen.id
RETURNING item.id, key, payload, body, count, item.attempts + 1, item.deaths, created_at
"""
# Held for the few milliseconds of an exclusive claim, so that two workers cannot both make one.
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('queue.' || %s), %s)"
SANDBOXES_LOOKED_AT = 16
LAST_SANDBOX = 2**31 - 1

_turns: dict[str, int] = {}


def take(subscription: Subscription, only: int | None = None) -> Claim | None:
    """Claim the next rows of a topic, or return None if there is nothing to claim now.

    `only` is the id of the one sandbox to take from.
    """
    with bypass():
        sandboxes = [only] if only is not None else _sandboxes_in_turn(subscription)
        for sandbox_id in sandboxes:
            claim = _take_from(subscription, sandbox_id)
            if claim:
                _turns[subscription.topic] = sandbox_id
                return claim
    return None


def is_due(subscription: Subscription) -> bool:
    """Tell whether the topic has a row to claim now."""
    with bypass():
        return next(_sandboxes_in_turn(subscription, limit=1), None) is not None


def _sandboxes_in_turn(
    subscription: Subscription, limit: int = SANDBOXES_LOOKED_AT
) -> Iterator[int]:
    """Yield the sandboxes with something to do: those after the last one served, then the rest."""
    served = _turns.get(subscription.topic, -1)
    for after, last in ((served, LAST_SANDBOX), (-1, served)):
        values: dict[str, Any] = {
            "after": after,
            "last": last,
            "limit": limit,
            "now": timezone.now(),
        }
        values |= {"topic": subscription.topic, "exclusive": subscription.exclusive}
        with connection.cursor() as cursor:
            cursor.execute(_DUE_SANDBOXES, values)
            found = [sandbox_id for (sandbox_id,) in cursor.fetchall()]
        yield from found


def _take_from(subscription: Subscription, sandbox_id: int) -> Claim | None:
    sandbox = find_sandbox(sandbox_id)
    if sandbox is None:
        _forget(sandbox_id)
        return None
    token, now = uuid4(), timezone.now()
    with connection.cursor() as cursor:
        if subscription.exclusive:
            cursor.execute(_LOCK, [subscription.topic, sandbox_id])
            if cursor.fetchone() != (True,):
                return None
        cursor.execute(
            _TAKE,
            {
                "topic": subscription.topic,
                "sandbox": sandbox_id,
                "exclusive": subscription.exclusive,
                "now": now,
                "until": now + subscription.lease,
                "token": token,
                "batch": subscription.batch,
                "records": subscription.records,
                "size": subscription.size,
                "together": settings.QUEUE_TOGETHER_ATTEMPTS,
            },
        )
        items = sorted((_item(row) for row in cursor.fetchall()), key=lambda item: item.id)
    return Claim(subscription, sandbox, items, token) if items else None


def _item(row: tuple[Any, ...]) -> Item:
    key, name, payload, body, count, attempts, deaths, created_at = row
    return Item(
        id=key,
        key=name,
        payload=loads(payload),
        body=bytes(body or b""),
        count=count,
        attempts=attempts,
        deaths=deaths,
        created_at=created_at,
    )


def _forget(sandbox_id: int) -> None:
    """Remove the rows of a sandbox that was deleted while they were being published."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM queue_queueitem WHERE sandbox_id = %s", [sandbox_id])
