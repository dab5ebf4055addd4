"""Whoever started a job, kept with it: the job acts as them."""

from dataclasses import asdict
from typing import Any

from cdp.jobs.models import Job
from cdp.tenancy.actors import Actor


def kept(actor: Actor) -> dict[str, Any]:
    """Return an actor as JSON, with the permissions held now."""
    return asdict(actor) | {"permissions": sorted(actor.permissions)}


def starter_of(job: Job) -> Actor:
    """Return whoever started the job, with the permissions held then."""
    values = dict(job.actor)
    return Actor(**{**values, "permissions": frozenset(values["permissions"])})
