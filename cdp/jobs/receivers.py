"""Running the jobs that the queue hands out."""

import structlog
from django.conf import settings
from structlog.contextvars import bound_contextvars

from cdp.errors import DomainError
from cdp.jobs.handle import JobCancelled, JobHandle
from cdp.jobs.kinds import run_of
from cdp.jobs.models import Job
from cdp.jobs.selectors import find_job
from cdp.jobs.services import begin, end, explain
from cdp.queue import Claim, LeaseLost
from cdp.queue.failures import is_nobodys
from cdp.tenancy.actors import Actor
from cdp.tenancy.scope import scope

SYSTEM = Actor.system("jobs")

log = structlog.get_logger(__name__)


def run_job(claim: Claim) -> None:
    """Run the job of a claim to its end, whatever that is.

    A store that is away is no end: the queue tries again. Neither is a worker that
    dies, unless the job has done away with several.
    """
    (item,) = claim.items
    with scope(claim.sandbox, SYSTEM):
        job = find_job(claim.sandbox, item.payload["job"])
        if job is None or not _may_run(job, item.deaths):
            claim.finish()
            return
    with bound_contextvars(job=job.pk, kind=job.kind):
        _run(job, claim)


def _may_run(job: Job, deaths: int) -> bool:
    if deaths >= settings.JOB_MAX_DEATHS:
        detail = f"The job's worker died {deaths} times while running it."
        end(job, Job.State.FAILED, detail=detail)
        return False
    if begin(job):
        job.refresh_from_db()
        return True
    end(job, Job.State.CANCELLED)  # if it was cancelled while its worker died
    return False


def _run(job: Job, claim: Claim) -> None:
    handle = JobHandle(job, claim)
    state, values = Job.State.SUCCEEDED, {}
    try:
        values = {"result": run_of(job.kind)(handle)}
    except JobCancelled:
        state = Job.State.CANCELLED
    except LeaseLost:
        raise
    except Exception as error:  # a bug in a job must not be tried again for hours
        if is_nobodys(error):
            raise
        if not isinstance(error, DomainError):
            log.exception("job_failed")
        state, values = Job.State.FAILED, explain(error)
    with scope(claim.sandbox, SYSTEM):
        end(job, state, **(handle.told() | values))
        claim.finish()
