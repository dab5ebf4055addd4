"""Wiring of the probe."""

from django.apps import AppConfig

COUNTED = "probe.counted"
ROUND = "probe.round"


class ProbeConfig(AppConfig):
    """Subscribes to one topic and comes round once a second."""

    name = "tests.queue.probe"
    label = "probe"

    def ready(self) -> None:
        from cdp.queue import every, subscribe
        from tests.queue.probe.counting import count_round, count_rows

        subscribe(COUNTED, count_rows, batch=20, exclusive=True)
        every(1, ROUND, count_round)
