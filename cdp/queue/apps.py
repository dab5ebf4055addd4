"""Wiring of queue."""

from django.apps import AppConfig


class QueueConfig(AppConfig):
    """The durable queue that work is pulled from."""

    name = "cdp.queue"
    label = "queue"
