"""Jobs: long work with progress that people can watch and stop.

A job is a row with a state; the queue carries it to a worker and brings it back if
the worker dies, so a job's function may run more than once and must not mind.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cdp.jobs.handle import JobCancelled, JobHandle
    from cdp.jobs.kinds import register
    from cdp.jobs.models import Job
    from cdp.jobs.services import start

__all__ = ["Job", "JobCancelled", "JobHandle", "register", "start"]

_HOMES = {
    "Job": "models",
    "JobCancelled": "handle",
    "JobHandle": "handle",
    "register": "kinds",
    "start": "services",
}


def __getattr__(name: str) -> Any:
    """Import a name at its first use: Django imports this package before it can import models."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
