"""Refusals of jobs."""

from cdp.errors import Conflict


class JobFinished(Conflict):
    """The job has ended already; there is nothing left to cancel."""

    code = "job_finished"
