"""How much is waiting, and for how long."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import bypass

_BACKLOG = """
SELECT coalesce(sum(count), 0) FROM queue_queueitem
WHERE topic = %s AND sandbox_id = %s AND buried_at IS NULL
"""
_STATES = """
SELECT topic,
    coalesce(sum(count) FILTER (WHERE buried_at IS NULL), 0),
    count(*) FILTER (WHERE buried_at IS NULL),
    count(*) FILTER (
        WHERE buried_at IS NULL AND claim IS NULL AND available_at > %(now)s AND error = ''),
    count(*) FILTER (WHERE buried_at IS NOT NULL),
    min(created_at) FILTER (
        WHERE buried_at IS NULL AND (available_at <= %(now)s OR claim IS NOT NULL))
FROM queue_queueitem WHERE true {}
GROUP BY topic ORDER BY topic
"""
# Counting is quick for a short backlog and is then always done. A count that took longer
# holds for a while, so that a flooded door spends at most a twentieth of its time on it.
QUICK = 0.002
HOLDS = 20

_held: dict[tuple[str, int], tuple[int, float]] = {}


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic's unfinished work. `oldest` is when the oldest row that may be worked on came.

    Of the rows, `later` are timers: nothing has been tried with them, for it is not time yet.
    """

    topic: str
    records: int
    rows: int
    later: int
    buried: int
    oldest: datetime | None

    @property
    def oldest_age(self) -> timedelta:
        """Return how long the oldest row has been waiting; zero if none is."""
        return timezone.now() - self.oldest if self.oldest else timedelta(0)


def backlog(sandbox: Sandbox, topic: str) -> int:
    """Return how many records of a topic wait or are worked on; runs inside the sandbox's scope.

    For a long backlog the number may be some seconds old.
    """
    count, good_until = _held.get((topic, sandbox.pk), (0, 0.0))
    started = time.monotonic()
    if started < good_until:
        return count
    with connection.cursor() as cursor:
        cursor.execute(_BACKLOG, [topic, sandbox.pk])
        (count,) = cursor.fetchone() or (0,)
    took = time.monotonic() - started
    if took > QUICK:
        _held[topic, sandbox.pk] = count, started + took * HOLDS
    return int(count)


def oldest_age(topic: str, sandbox: Sandbox | None = None) -> timedelta:
    """Return how long a topic's oldest row has been waiting, in one sandbox or in all.

    Rows that rest until later do not count as waiting.
    """
    states = sandbox_states(sandbox) if sandbox else topic_states()
    return next((state.oldest_age for state in states if state.topic == topic), timedelta(0))


def sandbox_states(sandbox: Sandbox) -> list[TopicState]:
    """Return the state of each topic that has rows of the sandbox; runs inside its scope."""
    return _states("AND sandbox_id = %(sandbox)s", sandbox=sandbox.pk)


def topic_states() -> list[TopicState]:
    """Return the state of each topic over all sandboxes, for the operators' metrics."""
    with bypass():
        return _states("")


def _states(condition: str, **values: int) -> list[TopicState]:
    with connection.cursor() as cursor:
        cursor.execute(_STATES.format(condition), {"now": timezone.now(), **values})
        return [TopicState(*row) for row in cursor.fetchall()]
