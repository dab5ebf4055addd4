"""A job from the inside: what it was asked for, and how it tells of its progress."""

import time
from typing import Any

from cdp.errors import FieldError
from cdp.jobs.models import Job
from cdp.jobs.selectors import list_jobs
from cdp.jobs.starters import starter_of
from cdp.queue import Claim
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import current_scope, scope

ERRORS_KEPT = 100
AT_MOST_EVERY = 0.5  # seconds between two writes of progress


class JobCancelled(Exception):
    """Somebody has cancelled the job; raised by `progress`, and caught by whoever runs jobs."""


class JobHandle:
    """What a job's function is given."""

    def __init__(self, job: Job, claim: Claim) -> None:
        self.id = job.pk
        self.params: dict[str, Any] = job.params
        self.sandbox: Sandbox = claim.sandbox
        self.actor = starter_of(job)
        self.attempt = job.runs
        self._claim = claim
        self._done, self._total = 0, job.total
        self._failed = 0
        self._errors: list[FieldError] = []
        self._next_write = 0.0

    def progress(self, done: int, total: int | None = None) -> None:
        """Say how far the job is; call it between steps, as often as you like.

        Raises `JobCancelled` when somebody has cancelled the job, and `LeaseLost` when
        it is no longer ours. Inside a scope nothing is written, because the row would
        stay locked until that scope ends: the next call outside makes it good.
        """
        self._done = done
        self._total = self._total if total is None else total
        if time.monotonic() < self._next_write:
            return
        self._next_write = time.monotonic() + AT_MOST_EVERY
        is_inside = current_scope() is not None
        with scope(self.sandbox, self.actor):
            mine = list_jobs(self.sandbox).filter(pk=self.id)
            if mine.filter(cancel_requested_at__isnull=False).exists():
                raise JobCancelled
            if not is_inside:
                mine.update(**self.told())
        self._claim.heartbeat()

    @property
    def done(self) -> int:
        """How far the job said it is."""
        return self._done

    def fail_item(self, item: str, code: str, detail: str) -> None:
        """Note that one item went wrong while the job goes on; the first hundred are kept."""
        self._failed += 1
        if len(self._errors) < ERRORS_KEPT:
            self._errors.append(FieldError(path=item, code=code, detail=detail))

    def told(self) -> dict[str, Any]:
        """Return what the job has said so far, as values of its row."""
        return {
            "done": self._done,
            "total": self._total,
            "failed": self._failed,
            "errors": self._errors,
        }
