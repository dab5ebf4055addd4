"""Wiring of jobs."""

from datetime import timedelta

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Long work with progress."""

    name = "cdp.jobs"
    label = "jobs"

    def ready(self) -> None:
        """Have the workers of long work run jobs, among them those on whole sandboxes."""
        from cdp.jobs import sandboxes as life
        from cdp.jobs.erasing import count_jobs, erase_person, forget_jobs
        from cdp.jobs.kinds import register
        from cdp.jobs.receivers import run_job
        from cdp.jobs.topics import RUN
        from cdp.queue import subscribe
        from cdp.queue.subscriptions import LONG_WORK
        from cdp.tenancy import sandboxes

        subscribe(RUN, run_job, batch=1, patience=timedelta(hours=1), lane=LONG_WORK)
        register(life.RESET, life.run_reset)
        register(life.COPY, life.run_copy)
        sandboxes.register(
            "jobs",
            sandboxes.SandboxHandler(reset=forget_jobs, erase=erase_person, count=count_jobs),
        )
