"""What tests of jobs share: kinds of their own."""

from collections.abc import Callable
from typing import Any

import pytest

from cdp.jobs import Job, kinds, register, services
from cdp.tenancy.scope import scope


@pytest.fixture
def started(sandbox, actor, monkeypatch) -> Callable[..., Job]:
    """Return a function that registers what a job does and starts one."""
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))

    def start(run: Callable[[Any], Any] = lambda job: None, **params: Any) -> Job:
        kind = f"tests.kind{len(kinds._kinds)}"
        register(kind, run)
        with scope(sandbox, actor):
            return services.start(kind, sandbox=sandbox, actor=actor, params=params)

    return start


@pytest.fixture
def now(sandbox, actor) -> Callable[[Job], Job]:
    """Return a function that reads a job as it is now."""

    def read(job: Job) -> Job:
        with scope(sandbox, actor):
            return Job.objects.for_sandbox(sandbox).get(pk=job.pk)

    return read
