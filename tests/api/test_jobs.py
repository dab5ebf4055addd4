"""`jobs/`, `stages/` and `buried-items/`, as a client sees them."""

from datetime import timedelta

import pytest

from cdp.jobs import kinds, services
from cdp.queue import Message, drain, publish_many, subscriptions
from cdp.queue.subscriptions import find_subscription, subscribe
from cdp.queue.taking import take
from cdp.tenancy.scope import scope
from tests.factories import api_client

JOBS = "/api/v1/jobs/"
BURIED = "/api/v1/buried-items/"


@pytest.fixture
def start(sandbox, actor, monkeypatch):
    """Return a function that starts a job."""
    monkeypatch.setattr(kinds, "_kinds", {"tests.run": lambda job: {"rows": 1}})

    def start_one(**params):
        with scope(sandbox, actor):
            return services.start("tests.run", sandbox=sandbox, actor=actor, params=params)

    return start_one


@pytest.fixture
def graves(sandbox, actor, monkeypatch, clock):
    """The ids of three items that were put aside."""
    monkeypatch.setattr(subscriptions, "_subscriptions", {})
    subscribe("tests.buried", lambda claim: None)
    with scope(sandbox, actor):
        messages = [Message({"secret": n}, key=f"k{n}", count=n) for n in range(1, 4)]
        publish_many("tests.buried", messages, sandbox=sandbox)
        claim = take(find_subscription("tests.buried"))
        claim.bury(claim.items, "ValueError: poison")
    return [f"item_{item.id}" for item in claim.items]


def test_a_job_is_shown_with_its_progress(api, start):
    job = start(segment="seg_1")

    shown = api.get(f"{JOBS}{job.pk}/").json()

    assert shown == {
        "id": job.pk,
        "kind": "tests.run",
        "state": "queued",
        "progress": {"done": 0, "total": None, "failed": 0},
        "params": {"segment": "seg_1"},
        "result": None,
        "detail": "",
        "errors": [],
        "started_by": "tests",
        "cancel_requested_at": None,
        "created_at": shown["created_at"],
        "started_at": None,
        "finished_at": None,
    }


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_of_jobs_costs_the_same_however_long(
    api, start, count, django_assert_max_num_queries
):
    jobs = [start() for _ in range(count)]

    with django_assert_max_num_queries(9):
        listed = api.get(JOBS).json()

    assert [row["id"] for row in listed["results"]] == [job.pk for job in reversed(jobs)]


def test_jobs_are_found_by_state_and_kind(api, start):
    first = start()
    drain()
    start()

    found = api.get(JOBS, {"state": "succeeded", "kind": "tests.run"}).json()["results"]
    refused = api.get(JOBS, {"state": "done"})

    assert [(row["id"], row["result"]) for row in found] == [(first.pk, {"rows": 1})]
    assert refused.status_code == 422


def test_a_job_is_cancelled_once_and_not_after_its_end(api, start):
    waiting, ended = start(), start()
    with_cancel = api.post(f"{JOBS}{waiting.pk}/cancel/")
    drain()

    refused = api.post(f"{JOBS}{ended.pk}/cancel/")

    assert (with_cancel.status_code, with_cancel.json()["state"]) == (200, "cancelled")
    assert (refused.status_code, refused.json()["code"]) == (409, "job_finished")
    assert api.get(f"{JOBS}{ended.pk}/").json()["state"] == "succeeded"


def test_watching_is_not_cancelling(organization, start):
    watcher = api_client(organization, permissions=["view-jobs"])
    job = start()

    refused = watcher.post(f"{JOBS}{job.pk}/cancel/")

    assert (refused.status_code, refused.json()["permission"]) == (403, "manage-jobs")
    assert watcher.get(f"{JOBS}{job.pk}/").json()["state"] == "queued"


def test_stages_tell_how_far_behind_they_are(api, sandbox, actor, graves, clock):
    with scope(sandbox, actor):
        timer = Message({}, available_at=clock.now + timedelta(hours=1))
        publish_many("tests.buried", [Message({}, count=5), timer], sandbox=sandbox)
    clock.move(seconds=90)

    answer = api.get("/api/v1/stages/")

    assert answer.json()["results"] == [
        {
            "topic": "tests.buried",
            "items": 2,
            "later": 1,
            "records": 6,
            "buried": 3,
            "oldest_seconds": 90.0,
        }
    ]


def test_buried_items_say_why_and_keep_what_is_in_them(api, graves, clock):
    listed = api.get(BURIED, {"topic": "tests.buried"}).json()["results"]

    assert [row["id"] for row in listed] == graves[::-1]
    assert listed[0]["reason"] == "ValueError: poison"
    assert (listed[0]["key"], listed[0]["records"], listed[0]["attempts"]) == ("k3", 3, 0)
    assert "secret" not in str(listed)
    assert api.get(f"{BURIED}{graves[0]}/").json() == listed[-1]


def test_replayed_items_are_worked_on_again(api, graves):
    answer = api.post(f"{BURIED}replay/", {"ids": graves[:2]})

    assert (answer.status_code, answer.json()) == (200, {"replayed": 2})
    assert [row["id"] for row in api.get(BURIED).json()["results"]] == graves[2:]
    assert len(take(find_subscription("tests.buried")).items) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"ids": []}, 422), ({"ids": ["item_0"]}, 404), ({"ids": "all"}, 422)],
)
def test_a_replay_of_nothing_is_refused(api, graves, body, status):
    answer = api.post(f"{BURIED}replay/", body)

    assert answer.status_code == status
    assert len(api.get(BURIED).json()["results"]) == 3


def test_a_discarded_item_is_gone(api, graves):
    answer = api.delete(f"{BURIED}{graves[0]}/")

    assert answer.status_code == 204
    assert api.get(f"{BURIED}{graves[0]}/").status_code == 404
    assert api.post(f"{BURIED}replay/", {"ids": graves[:1]}).status_code == 404
