"""Resetting and copying sandboxes, as jobs of the organization's `prod`, which is never reset."""

from typing import Any, Final

from cdp.errors import Conflict, FieldError, Invalid
from cdp.jobs.handle import JobHandle
from cdp.jobs.models import Job
from cdp.jobs.selectors import list_jobs
from cdp.jobs.services import start
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.errors import SandboxGuarded, SandboxResetting
from cdp.tenancy.models import Sandbox, WriteKey
from cdp.tenancy.sandboxes import handlers
from cdp.tenancy.scope import scope
from cdp.tenancy.selectors import list_sandboxes

RESET: Final = "sandboxes.reset"
COPY: Final = "sandboxes.copy"
HOME: Final = "prod"
_ACTOR: Final = Actor.system("sandboxes")
_ROUNDS: Final = 2  # the second takes what was at work during the first


def request_reset(*, actor: Actor, home: Sandbox, sandbox: Sandbox) -> Job:
    """Have everything in a sandbox removed; its name, title and roles stay. It is shut meanwhile.

    Runs in the scope of `home`. Raises `SandboxGuarded` for `prod`, and `SandboxResetting`
    while a reset is under way: a second one would remove what comes after the first.
    """
    if sandbox.name == HOME:
        raise SandboxGuarded(f"'{HOME}' is never reset. Delete in it what you do not need.")
    # First, for it waits for whoever asks for the same at this moment.
    Sandbox.objects.filter(pk=sandbox.pk).update(state=Sandbox.State.RESETTING)
    if _is_under_way(home, sandbox):
        raise SandboxResetting(f"The sandbox '{sandbox.name}' is being reset already.")
    job = start(RESET, sandbox=home, actor=actor, params={"sandbox": sandbox.name})
    audit.record(
        actor=actor,
        action="sandbox.reset",
        target=sandbox,
        after={"job": job.pk},
        organization=sandbox.organization,
    )
    return job


def request_copy(*, actor: Actor, home: Sandbox, sandbox: Sandbox, into: str) -> Job:
    """Have what is set up in a sandbox copied into another one; data are not.

    Runs in the scope of `home`. Raises `Invalid` for a target that there is not.
    """
    target = list_sandboxes(sandbox.organization).filter(name=into).first()
    if target is None or target.pk == sandbox.pk:
        detail = f"There is no other sandbox '{into}' to copy into."
        errors = [FieldError(path="into", code="unknown", detail=detail)]
        raise Invalid(detail, errors=errors)
    if sandbox.state == Sandbox.State.RESETTING or target.state == Sandbox.State.RESETTING:
        raise Conflict("One of the two sandboxes is being reset. Copy when that is done.")
    params = {"sandbox": sandbox.name, "into": target.name}
    job = start(COPY, sandbox=home, actor=actor, params=params)
    audit.record(
        actor=actor,
        action="sandbox.copied",
        target=target,
        after={"from": sandbox.name, "job": job.pk},
        organization=sandbox.organization,
    )
    return job


def run_reset(job: JobHandle) -> dict[str, Any]:
    """Empty a sandbox, the apps above before those they stand on. Run again, it goes on."""
    sandbox = _named(job, "sandbox")
    resets = [one.reset for one in reversed(handlers().values()) if one.reset is not None]
    steps = resets * _ROUNDS
    for done, reset in enumerate(steps):
        job.progress(done, len(steps))
        with scope(sandbox, _ACTOR):
            reset(sandbox)
    WriteKey.objects.filter(sandbox=sandbox).delete()  # their inlets are gone
    left = _count(sandbox)
    if left:
        names = ", ".join(f"{count} {name}" for name, count in left.items())
        raise Conflict(f"The sandbox was written to while it was reset: {names}. Reset it again.")
    Sandbox.objects.filter(pk=sandbox.pk).update(state=Sandbox.State.ACTIVE)
    return {"sandbox": sandbox.name}


def run_copy(job: JobHandle) -> dict[str, Any]:
    """Copy what each app has set up, the lower apps first. Run again, it adds what is missing."""
    source, target = _named(job, "sandbox"), _named(job, "into")
    copies = [one.copy for one in handlers().values() if one.copy is not None]
    for done, copy in enumerate(copies):
        job.progress(done, len(copies))
        copy(source, target)
    return {"sandbox": source.name, "into": target.name}


def _is_under_way(home: Sandbox, sandbox: Sandbox) -> bool:
    jobs = list_jobs(home).filter(kind=RESET, params__sandbox=sandbox.name)
    unfinished = jobs.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])
    return unfinished.filter(cancel_requested_at=None).exists()


def _named(job: JobHandle, key: str) -> Sandbox:
    rows = list_sandboxes(job.sandbox.organization).select_related("organization")
    return rows.get(name=job.params[key])


def _count(sandbox: Sandbox) -> dict[str, int]:
    """Count what the sandbox still holds, by kind."""
    counts: dict[str, int] = {}
    for handler in handlers().values():
        if handler.count is not None:
            with scope(sandbox, _ACTOR):
                counts |= handler.count(sandbox)
    return {name: count for name, count in counts.items() if count}
