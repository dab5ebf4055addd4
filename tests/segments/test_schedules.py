"""Evaluations by the clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from oauth2_provider.models import get_access_token_model

from cdp.queue import drain
from cdp.tenancy.models import AuditEvent, Sandbox
from cdp.tenancy.scope import scope
from segments.models import Evaluation, Segment, SegmentSchedule
from segments.services.lifecycle import create_segment, publish_segment
from tests.factories import api_client
from tests.segments.shop import ACTOR, open_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
AT = "/api/v1/segment-schedules/"
BOUGHT = 'xEvent[eventType = "commerce.purchases"]'


@pytest.fixture
def shop(sandbox):
    shop = open_shop(sandbox)
    with scope(sandbox, ACTOR):
        Sandbox.objects.filter(pk=sandbox.pk).update(time_zone="Europe/Berlin")
        sandbox.refresh_from_db()
        for name in ("Buyers", "Others"):
            made = create_segment(actor=ACTOR, sandbox=sandbox, name=name, text=BOUGHT)
            publish_segment(actor=ACTOR, segment=made)
    drain()
    return shop


@pytest.fixture
def api(api):
    """A client whose token outlasts the moves of the clock."""
    get_access_token_model().objects.update(expires=datetime(2099, 1, 1, tzinfo=UTC))
    return api


def ids(shop):
    with scope(shop.sandbox, ACTOR):
        return dict(Segment.objects.for_sandbox(shop.sandbox).values_list("name", "pk"))


def jobs(api, schedule):
    return api.get(f"/api/v1/segment-jobs/?schedule_id={schedule['id']}").json()["results"]


@pytest.mark.acceptance("B-36")
def test_all_segments_are_evaluated_each_night_on_the_sandboxs_clock(api, shop, clock):
    clock.move(to=datetime(2027, 3, 27, 12, tzinfo=UTC))  # the clock is put forward that night

    made = api.post(AT, {"name": "Nightly", "schedule": {"cron": "0 1 * * *"}})

    assert made.status_code == 201, made.json()
    schedule = made.json()
    assert schedule["next_run_at"] == "2027-03-28T00:00:00Z"
    clock.move(to=datetime(2027, 3, 27, 23, 59, 59, tzinfo=UTC))
    drain()
    assert jobs(api, schedule) == []
    clock.move(seconds=1)
    drain()
    (job,) = jobs(api, schedule)
    assert (job["state"], job["wanted"]) == ("done", [])
    assert set(job["asked"]) == set(ids(shop).values())
    after = api.get(f"{AT}{schedule['id']}/").json()
    assert after["last_run_at"] == "2027-03-28T00:00:00Z"
    assert after["next_run_at"] == "2027-03-28T23:00:00Z"  # one o'clock is earlier from now on


def test_chosen_segments_are_evaluated_and_missed_runs_become_one(api, shop, clock):
    buyers = ids(shop)["Buyers"]
    schedule = api.post(
        AT, {"name": "Often", "schedule": {"every": 15, "unit": "minute"}, "segments": [buyers]}
    ).json()

    clock.move(days=3)
    drain()

    (job,) = jobs(api, schedule)
    assert (job["state"], list(job["asked"])) == ("done", [buyers])
    following = datetime.fromisoformat(api.get(f"{AT}{schedule['id']}/").json()["next_run_at"])
    assert timedelta(0) < following - clock.now <= timedelta(minutes=15)


def test_a_run_while_another_still_waits_is_that_one(shop, clock, api):
    schedules = [
        api.post(AT, {"name": name, "schedule": {"every": 1, "unit": "hour"}}).json()
        for name in ("First", "Second")
    ]
    clock.move(hours=1)

    drain(["segments.schedules-due"])

    assert sum(len(jobs(api, schedule)) for schedule in schedules) == 1
    with scope(shop.sandbox, ACTOR):
        rows = Evaluation.objects.for_sandbox(shop.sandbox)
        assert rows.filter(state="waiting").count() == 1


def test_one_that_is_off_or_was_changed_does_not_run_by_its_old_timer(api, shop, clock):
    clock.move(to=datetime(2027, 1, 1, 9, tzinfo=UTC))  # far from midnight, when days begin
    schedule = api.post(AT, {"name": "Hourly", "schedule": {"every": 1, "unit": "hour"}}).json()
    at = f"{AT}{schedule['id']}/"

    off = api.patch(at, {"enabled": False}).json()
    assert off["next_run_at"] is None
    clock.move(hours=2)
    drain()
    assert jobs(api, schedule) == []

    on = api.patch(at, {"enabled": True, "schedule": {"every": 1, "unit": "day"}}).json()
    due = datetime.fromisoformat(on["next_run_at"])
    clock.move(hours=1)
    drain()
    assert jobs(api, schedule) == []
    clock.move(to=due)
    drain()
    assert len(jobs(api, schedule)) == 1


def test_one_single_run_leaves_no_next(api, shop, clock):
    due = clock.now + timedelta(hours=1)
    schedule = api.post(AT, {"name": "Once", "schedule": {"start_at": due.isoformat()}}).json()

    clock.move(hours=1)
    drain()

    assert len(jobs(api, schedule)) == 1
    assert api.get(f"{AT}{schedule['id']}/").json()["next_run_at"] is None


@pytest.mark.parametrize("every", [{}, {"every": 1, "unit": "day"}], ids=["once", "daily"])
def test_a_start_on_another_clock_than_ours_is_kept(api, shop, clock, every):
    due = (clock.now + timedelta(hours=1)).astimezone(ZoneInfo("Asia/Kolkata"))
    body = {"name": "Offset", "schedule": {"start_at": due.isoformat(), **every}}
    schedule = api.post(AT, body).json()

    clock.move(hours=1)
    drain()

    assert len(jobs(api, schedule)) == 1


def test_a_deleted_schedule_runs_no_more_and_its_jobs_stay(api, shop, clock):
    schedule = api.post(AT, {"name": "Hourly", "schedule": {"every": 1, "unit": "hour"}}).json()
    clock.move(hours=1)
    drain()
    (job,) = jobs(api, schedule)

    assert api.delete(f"{AT}{schedule['id']}/").status_code == 204
    clock.move(hours=5)
    drain()

    kept = api.get("/api/v1/segment-jobs/?state=done&limit=100").json()["results"]
    assert {**job, "schedule_id": None} in kept
    with scope(shop.sandbox, ACTOR):
        assert Evaluation.objects.for_sandbox(shop.sandbox).filter(kind="full").count() == 3


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"schedule": {"cron": "0 25 * * *"}}, "schedule"),
        ({"schedule": {}}, "schedule"),
        ({"schedule": {"every": 0, "unit": "day"}}, "schedule"),
        ({"schedule": {"every": 1, "unit": ["day"]}}, "schedule"),
        ({"segments": ["seg_of_nobody"]}, "segments"),
        ({"name": ""}, "name"),
        ({"shedule": {}}, "shedule"),
    ],
)
def test_what_cannot_work_is_refused_and_nothing_is_made(api, shop, change, path):
    body = {"name": "Nightly", "schedule": {"cron": "0 1 * * *"}, **change}

    answer = api.post(AT, body)

    assert answer.status_code in (400, 422), answer.json()
    assert [error["path"] for error in answer.json()["errors"]] == [path]
    with scope(shop.sandbox, ACTOR):
        assert not SegmentSchedule.objects.for_sandbox(shop.sandbox).exists()


def test_who_may_only_look_changes_nothing_and_each_change_is_on_record(api, shop, organization):
    viewer = api_client(organization, permissions=["view-segments"])
    body = {"name": "Nightly", "schedule": {"cron": "0 1 * * *"}}

    assert viewer.post(AT, body).status_code == 403
    made = api.post(AT, body).json()
    assert api.post(AT, body).status_code == 409
    assert viewer.get(AT).json()["results"] == [made]
    assert viewer.delete(f"{AT}{made['id']}/").status_code == 403
    api.patch(f"{AT}{made['id']}/", {"enabled": False})
    api.delete(f"{AT}{made['id']}/")

    with scope(shop.sandbox, ACTOR):
        events = AuditEvent.objects.for_organization(organization).filter(target_id=made["id"])
        assert [event.action.rpartition(".")[2] for event in events.order_by("pk")] == [
            "created",
            "changed",
            "deleted",
        ]


def test_a_segment_on_a_schedule_cannot_be_deleted(api, shop):
    buyers = ids(shop)["Buyers"]
    body = {"name": "Nightly", "schedule": {"cron": "0 1 * * *"}, "segments": [buyers]}
    schedule = api.post(AT, body).json()

    refused = api.delete(f"/api/v1/segments/{buyers}/")

    assert (refused.status_code, refused.json()["code"]) == (409, "segment_in_use")
    assert refused.json()["dependents"] == [
        {"type": "segment_schedule", "id": schedule["id"], "name": "Nightly"}
    ]
    assert ids(shop)["Buyers"] == buyers


def test_a_single_run_whose_moment_is_over_is_refused(api, sandbox):
    over = {"start_at": "2020-01-01T00:00:00Z"}

    refused = api.post(AT, {"name": "Once", "schedule": over})

    assert refused.status_code == 422
    [error] = refused.json()["errors"]
    assert (error["path"], error["detail"]) == (
        "schedule",
        "It would never run: its moment is over.",
    )
    assert api.get(AT).json()["results"] == []
    off = api.post(AT, {"name": "Once", "schedule": over, "enabled": False})
    assert off.status_code == 201
    at = f"{AT}{off.json()['id']}/"
    assert api.patch(at, {"name": "Never"}).status_code == 200
    assert api.patch(at, {"enabled": True}).status_code == 422
