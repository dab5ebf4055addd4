import pytest

from cdp.jobs import Job, services
from cdp.jobs.errors import JobFinished
from cdp.jobs.services import cancel
from cdp.queue import backlog, drain
from cdp.tenancy.models import AuditEvent
from cdp.tenancy.scope import scope


def audited(sandbox, actor):
    with scope(sandbox, actor):
        events = AuditEvent.objects.for_organization(sandbox.organization)
        return list(
            events.filter(target_type="job").order_by("id").values_list("action", "target_id")
        )


def test_start_makes_a_job_and_gives_it_to_the_queue(sandbox, actor, started, now):
    job = now(started(segment="seg_1"))

    assert (job.state, job.params, job.done, job.total) == ("queued", {"segment": "seg_1"}, 0, None)
    assert job.actor["name"] == actor.name
    with scope(sandbox, actor):
        assert backlog(sandbox, "jobs.run") == 1
    assert audited(sandbox, actor) == [("job.started", job.pk)]


def test_an_unknown_kind_starts_nothing(sandbox, actor):
    with pytest.raises(LookupError, match=r"no\.such"), scope(sandbox, actor):
        services.start("no.such", sandbox=sandbox, actor=actor, params={})

    with scope(sandbox, actor):
        assert not Job.objects.for_sandbox(sandbox).exists()
        assert backlog(sandbox, "jobs.run") == 0


def test_a_waiting_job_is_cancelled_at_once_and_never_runs(sandbox, actor, started, now):
    ran = []
    job = started(ran.append)

    with scope(sandbox, actor):
        cancel(job, actor=actor)
    drain()

    assert now(job).state == "cancelled"
    assert now(job).finished_at is not None
    assert ran == []
    assert audited(sandbox, actor) == [("job.started", job.pk), ("job.cancelled", job.pk)]


def test_cancelling_twice_changes_nothing(sandbox, actor, started, now):
    job = started()
    with scope(sandbox, actor):
        cancel(job, actor=actor)
        first = now(job)
        again = cancel(job, actor=actor)

    assert again.finished_at == first.finished_at
    assert len(audited(sandbox, actor)) == 2


@pytest.mark.parametrize(
    ("run", "state"), [(lambda job: None, "succeeded"), (lambda job: 1 / 0, "failed")]
)
def test_a_job_that_has_ended_cannot_be_cancelled(sandbox, actor, started, now, run, state):
    job = started(run)
    drain()

    with pytest.raises(JobFinished, match=state), scope(sandbox, actor):
        cancel(job, actor=actor)

    assert now(job).state == state
    assert now(job).cancel_requested_at is None
    assert audited(sandbox, actor) == [("job.started", job.pk)]


def test_a_kind_is_registered_once(started):
    from cdp.jobs import register

    kind = started().kind

    with pytest.raises(ValueError, match=kind):
        register(kind, lambda job: None)
