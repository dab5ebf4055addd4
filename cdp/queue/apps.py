"""Wiring of the queue."""

from django.apps import AppConfig


class QueueConfig(AppConfig):
    """The durable queue that work is pulled from."""

    name = "cdp.queue"
    label = "queue"

    def ready(self) -> None:
        """Say what becomes of a sandbox's queue when the sandbox is reset."""
        from cdp.queue.receivers import count_rows, forget_rows
        from cdp.tenancy import sandboxes

        sandboxes.register("queue", sandboxes.SandboxHandler(reset=forget_rows, count=count_rows))
