import threading
import time

import pytest
from django.conf import settings
from django.db import connection

from cdp.errors import Invalid, Unavailable
from cdp.jobs import JobCancelled, handle
from cdp.jobs.services import cancel
from cdp.jobs.topics import RUN
from cdp.queue import drain
from cdp.queue.models import QueueItem
from cdp.queue.subscriptions import find_subscription
from cdp.queue.taking import take
from cdp.queue.working import handle as handle_claim
from cdp.tenancy.scope import bypass, scope
from cdp.tenancy.usage import count


@pytest.fixture(autouse=True)
def _every_word_is_written(monkeypatch):
    monkeypatch.setattr(handle, "AT_MOST_EVERY", 0)


def waiting():
    with bypass():
        return QueueItem.unscoped.filter(topic=RUN, buried_at=None).count()


def test_a_job_runs_with_what_it_was_given_and_keeps_its_result(sandbox, actor, started, now):
    seen = {}

    def run(job):
        seen.update(params=job.params, sandbox=job.sandbox, actor=job.actor, attempt=job.attempt)
        return {"rows": 3}

    job = started(run, a=1)
    drain()

    assert seen == {"params": {"a": 1}, "sandbox": sandbox, "actor": actor, "attempt": 1}
    ended = now(job)
    assert (ended.state, ended.result) == ("succeeded", {"rows": 3})
    assert ended.created_at <= ended.started_at <= ended.finished_at
    assert waiting() == 0


def test_progress_and_failed_items_are_seen_while_the_job_runs(started, now):
    seen = []

    def run(job):
        job.progress(0, 200)
        for number in range(150):
            job.fail_item(f"rows.{number}", "unknown", "There is no such row.")
        job.progress(150)
        seen.append(now(made))
        job.progress(200)

    made = started(run)
    drain()

    (running,) = seen
    assert (running.state, running.done, running.total) == ("running", 150, 200)
    assert (running.failed, len(running.errors)) == (150, 100)
    assert running.errors[0] == {
        "path": "rows.0",
        "code": "unknown",
        "detail": "There is no such row.",
    }
    assert (now(made).done, now(made).state) == (200, "succeeded")


def test_progress_is_not_written_oftener_than_it_is_worth(
    started, now, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(handle, "AT_MOST_EVERY", 60)

    def run(job):
        job.progress(1, 100)
        with django_assert_num_queries(0):
            for number in range(2, 100):
                job.progress(number)

    made = started(run)
    drain()

    assert now(made).done == 99


def test_a_cancelled_job_stops_at_its_next_word_and_what_it_had_open_is_undone(
    sandbox, actor, started, now
):
    from cdp.tenancy.models import UsageCounter

    def run(job):
        job.progress(1, 2)
        with scope(sandbox, actor):
            cancel(made, actor=actor)
        with scope(job.sandbox, job.actor):
            count(job.sandbox, {("tests", ""): 1})
            job.progress(2)
        pytest.fail("it went on")

    made = started(run)
    drain()

    ended = now(made)
    assert (ended.state, ended.done) == ("cancelled", 2)
    assert waiting() == 0
    with scope(sandbox, actor):
        assert not UsageCounter.objects.for_sandbox(sandbox).filter(name="tests").exists()


def test_a_refusal_fails_the_job_with_its_reason(started, now):
    def run(job):
        job.fail_item("a", "b", "c")
        raise Invalid(
            "No such field.", errors=[{"path": "x", "code": "unknown", "detail": "No 'x'."}]
        )

    made = started(run)
    drain()

    ended = now(made)
    assert (ended.state, ended.detail) == ("failed", "No such field.")
    assert ended.errors == [{"path": "x", "code": "unknown", "detail": "No 'x'."}]
    assert waiting() == 0


def test_a_bug_fails_the_job_at_once_and_tells_no_more_than_its_name(started, now, caplog):
    made = started(lambda job: {}["secret"])
    drain()

    assert now(made).state == "failed"
    assert now(made).detail == "Unexpected error (KeyError); the log tells more."
    assert "secret" in caplog.text
    assert waiting() == 0


def test_a_store_that_is_away_is_waited_for(started, now, clock):
    tries = []

    def run(job):
        tries.append(job.attempt)
        if len(tries) < 20:
            raise Unavailable("ClickHouse is away.")

    made = started(run)
    for _ in range(20):
        drain(forgiving=True)
        clock.move(seconds=3)

    assert now(made).state == "succeeded"
    assert tries == list(range(1, 21))


def test_a_job_whose_worker_died_is_run_again_from_its_start(started, now, clock):
    subscription = find_subscription(RUN)
    made = started(lambda job: {"attempt": job.attempt})

    assert take(subscription) is not None  # and the worker dies
    clock.move(minutes=1)
    drain()

    assert now(made).state == "succeeded"


def test_a_job_that_ends_its_workers_has_failed(started, now, clock):
    ran = []
    made = started(ran.append)

    for _ in range(settings.JOB_MAX_DEATHS):
        assert take(find_subscription(RUN)) is not None
        clock.move(minutes=1)
    drain()

    ended = now(made)
    assert (ended.state, ran) == ("failed", [])
    assert (
        ended.detail == f"The job's worker died {settings.JOB_MAX_DEATHS} times while running it."
    )
    assert waiting() == 0


def test_a_job_cancelled_while_its_worker_died_is_cancelled(sandbox, actor, started, now, clock):
    ran = []

    def run(job):
        ran.append(job.attempt)
        raise Unavailable("away")

    made = started(run)
    drain(forgiving=True)
    with scope(sandbox, actor):
        cancel(now(made), actor=actor)
    clock.move(minutes=1)
    drain()

    assert ran == [1]
    assert now(made).state == "cancelled"
    assert now(made).finished_at is not None


def test_a_deleted_job_leaves_nothing_behind(sandbox, actor, started):
    from cdp.jobs import Job

    ran = []
    made = started(ran.append)
    with scope(sandbox, actor):
        Job.objects.for_sandbox(sandbox).filter(pk=made.pk).delete()

    drain()

    assert ran == []
    assert waiting() == 0


@pytest.mark.django_db(transaction=True)
def test_a_running_job_can_be_watched_and_cancelled_from_outside(sandbox, actor, started, now):
    ended_by = []

    def run(job):
        try:
            for number in range(1000):
                job.progress(number, 1000)
                time.sleep(0.01)
        except JobCancelled:
            ended_by.append("cancel")
            raise

    made = started(run)

    def work():
        handle_claim(take(find_subscription(RUN)))
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    deadline = time.monotonic() + 5
    while now(made).done < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    with scope(sandbox, actor):
        cancel(now(made), actor=actor)
    worker.join(5)

    assert ended_by == ["cancel"]
    assert now(made).state == "cancelled"
    assert 3 <= now(made).done < 1000
