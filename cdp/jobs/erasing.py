"""Taking a person out of what jobs were asked for and what they told."""

from collections.abc import Mapping
from typing import Any, Final

from django.db import connection

from cdp.jobs.models import Job
from cdp.tenancy.models import Sandbox
from cdp.tenancy.naming import ERASED, patterns_of
from cdp.tenancy.sandboxes import ErasedPerson

# A job that has not ended keeps what it was asked for: it could not go on without.
_BLANK: Final = """
UPDATE jobs_job SET
    errors = CASE WHEN errors::text LIKE ANY(%(named)s) THEN '[]'::jsonb ELSE errors END,
    detail = CASE WHEN detail LIKE ANY(%(named)s) THEN %(erased)s ELSE detail END,
    result = CASE WHEN result::text LIKE ANY(%(named)s) THEN NULL ELSE result END,
    params = CASE WHEN params::text LIKE ANY(%(named)s) THEN '{}'::jsonb ELSE params END
WHERE sandbox_id = %(sandbox)s AND state NOT IN ('queued', 'running')
    AND concat_ws(' ', errors::text, detail, result::text, params::text) LIKE ANY(%(named)s)
"""
_BLANK_RUNNING: Final = """
UPDATE jobs_job SET errors = '[]'::jsonb
WHERE sandbox_id = %(sandbox)s AND state IN ('queued', 'running')
    AND errors::text LIKE ANY(%(named)s)
"""


def erase_person(sandbox: Sandbox, person: ErasedPerson) -> Mapping[str, int]:
    """Blank what names the person; return how many jobs did."""
    given: dict[str, Any] = {
        "sandbox": sandbox.pk,
        "named": patterns_of(person.values),
        "erased": ERASED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BLANK, given)
        count = cursor.rowcount
        cursor.execute(_BLANK_RUNNING, given)
        return {"jobs": count + cursor.rowcount}


def forget_jobs(sandbox: Sandbox) -> None:
    """Remove the sandbox's jobs; one that is at work finds that it is nobody's any more."""
    Job.objects.for_sandbox(sandbox).delete()


def count_jobs(sandbox: Sandbox) -> Mapping[str, int]:
    """Return how many jobs the sandbox has."""
    return {"jobs": Job.objects.for_sandbox(sandbox).count()}
