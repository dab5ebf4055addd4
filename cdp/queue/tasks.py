"""What a message from the broker makes a worker do. No message carries data."""

from celery import shared_task

from cdp.queue import broker

TICK = "cdp.queue.tick"


@shared_task(name=broker.WORK)
def work_task(topic: str) -> None:
    """Work on a topic for a turn."""
    from cdp.queue.working import work

    broker.arrived(broker.WORK, topic)
    work(topic)


@shared_task(name=broker.PERIODIC)
def periodic_task(name: str) -> None:
    """Do a piece of periodic work if it is due."""
    from cdp.queue.periodic import run_if_due

    broker.arrived(broker.PERIODIC, name)
    run_if_due(name)


@shared_task(name=TICK)
def tick_task() -> None:
    """Wake what was missed, and what has become due by itself."""
    from cdp.queue.ticking import tick

    tick()
