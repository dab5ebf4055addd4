"""Wiring of jobs."""

from datetime import timedelta

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Long work with progress."""

    name = "cdp.jobs"
    label = "jobs"

    def ready(self) -> None:
        """Have the workers of long work run jobs, one at a time each."""
        from cdp.jobs.receivers import run_job
        from cdp.jobs.topics import RUN
        from cdp.queue import subscribe
        from cdp.queue.subscriptions import LONG_WORK

        subscribe(RUN, run_job, batch=1, patience=timedelta(hours=1), lane=LONG_WORK)
