"""Whoever started a job, kept with it: the job acts as them."""

from dataclasses import asdict
from typing import Any

from cdp.jobs.models import Job
from cdp.tenancy.actors import Actor


def kept(actor: Actor) -> dict[str, Any]:
    """Return an actor as JSON, with the permissions held and the labels carried now."""
    labels = None if actor.labels is None else sorted(actor.labels)
    return asdict(actor) | {"permissions": sorted(actor.permissions), "labels": labels}


def starter_of(job: Job) -> Actor:
    """Return whoever started the job, with the permissions and labels of then."""
    values = dict(job.actor)
    labels = values.get("labels")
    return Actor(
        **{
            **values,
            "permissions": frozenset(values["permissions"]),
            "labels": None if labels is None else frozenset(labels),
        }
    )
