"""Taking rows off the queue for a while, and what may then become of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from cdp.queue.subscriptions import Subscription
from cdp.queue.waking import wake_later
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import current_scope, scope

_FINISH = "DELETE FROM queue_queueitem WHERE id = ANY(%s) AND claim = %s"
_RETRY = """
UPDATE queue_queueitem SET claim = NULL, available_at = %s, error = %s, deaths = 0
WHERE id = ANY(%s) AND claim = %s
"""
_BURY = """
UPDATE queue_queueitem SET claim = NULL, buried_at = %s, error = %s
WHERE id = ANY(%s) AND claim = %s
"""
# A row that is being finished at this moment is locked, and needs no longer lease.
_EXTEND = """
WITH mine AS (
    SELECT id FROM queue_queueitem
    WHERE topic = %s AND sandbox_id = %s AND claim = %s
    FOR UPDATE SKIP LOCKED
)
UPDATE queue_queueitem SET available_at = %s FROM mine WHERE queue_queueitem.id = mine.id
"""
_STILL_HELD = """
SELECT count(*) FROM queue_queueitem WHERE topic = %s AND sandbox_id = %s AND claim = %s
"""


class LeaseLost(RuntimeError):
    """The rows are no longer ours: the lease ran out and somebody else has them.

    Raised inside the handler's transaction, so that what it did is rolled back.
    """


@dataclass(frozen=True, slots=True)
class Item:
    """One claimed row. `attempts` counts this one and those that have failed before."""

    id: int
    key: str | None
    payload: dict[str, Any]
    body: bytes
    count: int
    attempts: int
    deaths: int
    created_at: datetime


class Claim:
    """Rows of one topic and sandbox that are ours until the lease ends.

    `finish`, `retry` and `bury` belong inside the transaction that does the work:
    the rows go when the work is committed, and only then.
    """

    def __init__(
        self, subscription: Subscription, sandbox: Sandbox, items: list[Item], token: UUID
    ) -> None:
        self.subscription = subscription
        self.topic = subscription.topic
        self.sandbox = sandbox
        self.items = items
        self.token = token
        self.heard_at = timezone.now()

    def __str__(self) -> str:
        return f"{self.topic} of {self.sandbox}"

    @property
    def lease(self) -> timedelta:
        """Return for how long the rows are ours without being extended."""
        return self.subscription.lease

    @property
    def patience(self) -> timedelta:
        """Return for how long the handler may be silent."""
        return self.subscription.patience

    def finish(self, items: Sequence[Item] | None = None) -> None:
        """Remove rows whose work is done; all of them by default. Raises `LeaseLost`."""
        done = self.items if items is None else items
        self._change(_FINISH, [[item.id for item in done], self.token], len(done))

    def retry(self, items: Sequence[Item], error: str, delay: timedelta) -> None:
        """Put rows back for later, with the error that people will be shown. Raises `LeaseLost`.

        This is the handler's own decision and no failure: it does not count.
        """
        keys = [item.id for item in items]
        self._change(_RETRY, [timezone.now() + delay, error, keys, self.token], len(keys))
        wait = delay.total_seconds()
        transaction.on_commit(partial(wake_later, self.topic, wait), robust=True)

    def bury(self, items: Sequence[Item], reason: str) -> None:
        """Put rows aside until somebody replays them. Raises `LeaseLost`."""
        keys = [item.id for item in items]
        self._change(_BURY, [timezone.now(), reason, keys, self.token], len(keys))

    def heartbeat(self) -> None:
        """Say that the work goes on. Raises `LeaseLost`.

        Leases are kept by the worker as long as its process lives; a handler that
        runs longer than the subscription's `patience` says so itself. Inside a scope
        this is only noted: a longer lease would be seen by nobody before its end.
        """
        self.heard_at = timezone.now()
        if current_scope() is not None:
            return
        with scope(self.sandbox, Actor.system("queue")), connection.cursor() as cursor:
            cursor.execute(_STILL_HELD, [self.topic, self.sandbox.pk, self.token])
            (held,) = cursor.fetchone() or (0,)
        if not held:
            raise LeaseLost(f"{self}: the lease ran out")
        self.extend()

    def extend(self) -> None:
        """Move the end of the lease."""
        until = timezone.now() + self.lease
        with scope(self.sandbox, Actor.system("queue")), connection.cursor() as cursor:
            cursor.execute(_EXTEND, [self.topic, self.sandbox.pk, self.token, until])

    def _change(self, sql: str, values: list[Any], expected: int) -> None:
        if not expected:
            return
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            if cursor.rowcount != expected:
                raise LeaseLost(f"{self}: the lease ran out")
