"""The kinds of jobs there are, and what runs them."""

from collections.abc import Callable
from typing import Any

from cdp.jobs.handle import JobHandle

Run = Callable[[JobHandle], dict[str, Any] | None]

_kinds: dict[str, Run] = {}


def register(kind: str, run: Run) -> None:
    """Make `run` what a job of this kind does; called in `apps.py`.

    It runs outside of any transaction, opens `scope(job.sandbox, job.actor)` for each
    step, calls `job.progress()` between steps, and returns the job's result. It may be
    run again from its start if its worker dies. Raises `ValueError` for a kind that is taken.
    """
    if kind in _kinds:
        raise ValueError(f"{kind} is registered already: {_kinds[kind]}")
    _kinds[kind] = run


def run_of(kind: str) -> Run:
    """Return what runs a kind of job. Raises `LookupError`."""
    if kind not in _kinds:
        raise LookupError(f"No app has registered the job {kind}.")
    return _kinds[kind]
