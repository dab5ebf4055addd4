"""Questions about jobs."""

from django.db.models import QuerySet

from cdp.jobs.models import Job
from cdp.tenancy.models import Sandbox


def list_jobs(sandbox: Sandbox) -> QuerySet[Job]:
    """Return a sandbox's jobs, newest first."""
    return Job.objects.for_sandbox(sandbox).order_by("-id")


def find_job(sandbox: Sandbox, job_id: str) -> Job | None:
    """Return the job of this id, if the sandbox has it."""
    return list_jobs(sandbox).filter(pk=job_id).first()
