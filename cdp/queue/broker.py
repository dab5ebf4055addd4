"""The short messages to the workers, over a Redis that may be away.

The connections here give up after 0.2 s and never try again by themselves; the
worker's own connection waits for messages and has no such limit.
"""

import threading
from contextlib import suppress
from functools import cache
from typing import Any

import redis
from celery import Celery
from django.conf import settings
from kombu import Connection
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

# Whatever a Redis that is stopped, paused or restarted makes of a call.
AWAY = (OperationalError, redis.RedisError, OSError)
TIMEOUT = 0.2
# A message that no worker has begun holds back the next ones of its like for this long.
PENDING_MILLISECONDS = 1000
EXPIRES = 60  # seconds; by then the tick has long sent another

_TRANSPORT = {
    "socket_timeout": TIMEOUT,
    "socket_connect_timeout": TIMEOUT,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}

WORK = "cdp.queue.work"
PERIODIC = "cdp.queue.periodic"
TICK = "cdp.queue.tick"

_line = threading.local()


def send(task: str, argument: str, lane: str) -> None:
    """Send a message, unless its like is still waiting for a worker. Raises `AWAY`."""
    if _redis().set(_mark(task, argument), 1, nx=True, px=PENDING_MILLISECONDS):
        _send(task, argument, lane)


def arrived(task: str, argument: str) -> None:
    """Let the next message of its like through: a worker has begun with this one."""
    with suppress(*AWAY):  # the mark ends by itself
        _redis().delete(_mark(task, argument))


def _send(task: str, argument: str, lane: str) -> None:
    try:
        _sender().send_task(
            task, [argument], queue=lane, producer=_producer(), retry=False, expires=EXPIRES
        )
    except AWAY:
        _hang_up()
        raise


def _producer() -> Any:
    if not hasattr(_line, "producer"):
        app = _sender()
        connection = Connection(app.conf.broker_url, transport_options=_TRANSPORT)
        _line.connection, _line.producer = connection, app.amqp.Producer(connection)
    return _line.producer


def _hang_up() -> None:
    """Drop the line, so that the next message begins with a new one."""
    connection = _line.__dict__.pop("connection", None)
    _line.__dict__.pop("producer", None)
    if connection is not None:
        connection.collect()


def _mark(task: str, argument: str) -> str:
    return f"{task}:{argument}"


@cache
def _sender() -> Celery:
    """Make the app that only sends; the one that works is `cdp.celery`, above this package."""
    return Celery("sender", broker=settings.CELERY_BROKER_URL, set_as_current=False)


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )
