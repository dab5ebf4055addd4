"""The workers' application: what wakes them, and how they are set up.

A message says only which topic to look at; the work itself is in the queue. So a
message may be lost or come twice, and no result is kept.
"""

import logging.config
import os
from functools import partial
from typing import Any

from celery import Celery, signals
from celery.worker.consumer import Consumer
from kombu import Exchange, Queue
from kombu.transport import redis

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cdp.settings")

from django.conf import settings

from cdp.queue import broker
from cdp.queue.subscriptions import LANES, SHORT_WORK

app = Celery("cdp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [Queue(lane, Exchange(lane), routing_key=lane) for lane in LANES]
app.conf.task_default_queue = SHORT_WORK
# Otherwise each message, thousands a minute, would begin and end with a new connection.
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000
app.conf.beat_schedule = {
    "tick": {"task": broker.TICK, "schedule": 1.0, "options": {"expires": 10}},
}
app.conf.beat_scheduler = "celery.beat:Scheduler"  # one entry: nothing to remember in a file
app.autodiscover_tasks()
# When Redis goes, a worker would put the messages it holds back into Redis, and end over that.
redis.Channel.do_restore = False


class QuickConsumer(Consumer):
    """Looks for a broker that is away every two seconds, and not ever more rarely."""

    def ensure_connected(self, conn: Any) -> Any:
        conn.ensure_connection = partial(conn.ensure_connection, interval_step=0)
        return super().ensure_connected(conn)


app.conf.worker_consumer = QuickConsumer


@signals.setup_logging.connect
def _log_as_the_rest_does(**_: Any) -> None:
    """Take the place of Celery's own logging: its lines are JSON like all others."""
    logging.config.dictConfig(settings.LOGGING)
