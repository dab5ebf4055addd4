"""What a message from the broker makes a worker do. No message carries data."""

from celery import shared_task
from django.db import close_old_connections

from cdp.queue import broker


@shared_task(name=broker.WORK)
def work_task(topic: str) -> None:
    """Work on a topic for a turn."""
    from cdp.queue.working import work

    broker.arrived(broker.WORK, topic)
    close_old_connections()
    work(topic)


@shared_task(name=broker.PERIODIC)
def periodic_task(name: str) -> None:
    """Do a piece of periodic work if it is due."""
    from cdp.queue.periodic import run_if_due

    broker.arrived(broker.PERIODIC, name)
    close_old_connections()
    run_if_due(name)


@shared_task(name=broker.TICK)
def tick_task() -> None:
    """Wake what was missed, and what has become due by itself."""
    from cdp.queue.ticking import tick

    close_old_connections()
    tick()
