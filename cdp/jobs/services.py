"""What can be done to jobs: start them, cancel them; and, for workers, begin and end them."""

from typing import Any

from django.utils import timezone

from cdp.errors import DomainError
from cdp.jobs.errors import JobFinished
from cdp.jobs.kinds import run_of
from cdp.jobs.models import Job
from cdp.jobs.selectors import list_jobs
from cdp.jobs.starters import kept
from cdp.jobs.topics import RUN
from cdp.queue import publish
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox


def start(kind: str, *, sandbox: Sandbox, actor: Actor, params: dict[str, Any]) -> Job:
    """Make a job that a worker will run once this transaction commits.

    It acts as whoever started it. `params` are JSON. Raises `LookupError` for a kind
    that no app has registered.
    """
    run_of(kind)
    job = Job.objects.create(sandbox=sandbox, kind=kind, params=params, actor=kept(actor))
    publish(RUN, {"job": job.pk}, sandbox=sandbox, key=job.pk)
    audit.record(actor=actor, action="job.started", target=job, after={"kind": kind})
    return job


def cancel(job: Job, *, actor: Actor) -> Job:
    """Cancel a job: one that waits at once, one that runs at its next word of progress.

    Cancelling twice changes nothing. Raises `JobFinished` if it has ended by itself.
    """
    now = timezone.now()
    mine = list_jobs(job.sandbox).filter(pk=job.pk)
    waiting = mine.filter(state=Job.State.QUEUED)
    running = mine.filter(state=Job.State.RUNNING, cancel_requested_at=None)
    changed = waiting.update(
        state=Job.State.CANCELLED, cancel_requested_at=now, finished_at=now
    ) or running.update(cancel_requested_at=now)
    job.refresh_from_db()
    if changed:
        audit.record(actor=actor, action="job.cancelled", target=job)
    elif job.state in {Job.State.SUCCEEDED, Job.State.FAILED}:
        raise JobFinished(f"The job has {job.state} already.")
    return job


def begin(job: Job) -> bool:
    """Note that a worker runs the job; tell whether it should."""
    mine = list_jobs(job.sandbox).filter(pk=job.pk, cancel_requested_at=None)
    unfinished = mine.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])
    return bool(
        unfinished.update(
            state=Job.State.RUNNING,
            started_at=job.started_at or timezone.now(),
            runs=job.runs + 1,
            done=0,
            failed=0,
            errors=[],
        )
    )


def end(job: Job, state: Job.State, **values: Any) -> None:
    """Note how the job has ended; one that has ended before stays as it is."""
    mine = list_jobs(job.sandbox).filter(pk=job.pk)
    unfinished = mine.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])
    unfinished.update(state=state, finished_at=timezone.now(), **values)


def explain(error: Exception) -> dict[str, Any]:
    """Return what a job says of the error that ended it; of a bug, no more than its name."""
    if isinstance(error, DomainError):
        told: dict[str, Any] = {"detail": error.detail}
        return told | {"errors": error.errors} if error.errors else told
    return {"detail": f"Unexpected error ({type(error).__name__}); the log tells more."}
