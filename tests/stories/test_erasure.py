"""Somebody is in a segment, in a file and in a receiver's complaint, and then asks to be erased."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from cdp import jobs
from cdp.jobs.models import Job
from cdp.queue import drain
from cdp.tenancy.scope import scope
from destinations.models import Delivery
from segments.members import members_after
from segments.models import Segment
from segments.services.lifecycle import create_segment, publish_segment
from tests.destinations.world import activate, make_folder, make_webhook, runs
from tests.profiles.test_privacy import in_event_store, in_files, in_redis, places_of
from tests.segments.shop import ACTOR, open_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

CANARY = "canary-91c2@luma.example"
JOHN = "john@luma.example"
BUYERS = {
    "type": "events",
    "where": {
        "type": "compare",
        "operator": "=",
        "left": {"field": "eventType"},
        "right": "commerce.purchases",
    },
}
URL = "/api/v1/privacy-jobs/"


@pytest.fixture
def segment(sandbox, httpserver, settings, clock):
    """A segment of buyers with two destinations, one of which complains of the canary by name."""
    settings.ALLOWED_PRIVATE_HOSTS = ["localhost"]
    settings.DELIVERY_DELAYS = [timedelta(0)]
    httpserver.expect_request("/hook").respond_with_data(f"bad address: {CANARY}", status=422)
    shop = open_shop(sandbox)
    with scope(sandbox, ACTOR):
        made = create_segment(actor=ACTOR, sandbox=sandbox, name="Buyers", rule=BUYERS)
        publish_segment(actor=ACTOR, segment=made)
    activate(make_folder(sandbox), made)
    activate(make_webhook(sandbox, httpserver.url_for("/hook")), made)
    for who, name in ((CANARY, "Sarah"), (JOHN, "John")):
        shop.person(who, person={"name": {"firstName": name}})
        shop.event(who, "commerce.purchases", key=f"bought by {name}")
    clock.move(minutes=2)
    drain()
    with scope(sandbox, ACTOR):
        job = jobs.start("segments.none", sandbox=sandbox, actor=ACTOR, params={"who": CANARY})
        Job.objects.for_sandbox(sandbox).filter(pk=job.pk).update(
            state="failed", detail=f"{CANARY} is odd", errors=[{"path": CANARY, "code": "odd"}]
        )
    return made


@pytest.fixture(autouse=True)
def _a_kind_of_job(monkeypatch):
    monkeypatch.setitem(jobs.kinds._kinds, "segments.none", lambda job: None)


def ask(api, action):
    user = {"actions": [action], "identities": [{"namespace": "Email", "value": CANARY}]}
    [row] = api.post(URL, {"users": [user]}).json()["results"]
    drain()
    return api.get(f"{URL}{row['id']}/").json()


def exported(sandbox):
    folder = Path(django_settings.EXPORT_DIR)
    return [
        file.read_text() for file in sorted(folder.rglob("*.csv")) if str(sandbox.pk) in str(file)
    ]


def test_an_erasure_reaches_segments_destinations_files_and_jobs(api, sandbox, segment):
    before = set(places_of(CANARY))
    [file] = exported(sandbox)
    assert (CANARY in file, JOHN in file) == (True, True)
    assert {"jobs_job.detail", "jobs_job.errors", "jobs_job.params"} <= before

    request = ask(api, "delete")

    assert request["state"] == "complete", request
    assert places_of(CANARY) == []
    assert in_event_store(sandbox, CANARY) == []
    assert in_redis(CANARY) == []
    assert in_files(CANARY) == []
    [file] = exported(sandbox)
    assert (CANARY in file, JOHN in file) == (False, True)
    assert request["receipts"]["segments"]["memberships"] == 1
    assert request["receipts"]["destinations"]["deliveries"] == 2
    assert request["receipts"]["destinations"]["lines of files"] == 1
    assert request["receipts"]["jobs"] == {"jobs": 1}


def test_she_leaves_her_segments_and_the_destinations_hear_of_it(api, sandbox, segment):
    with scope(sandbox, ACTOR):
        gone, stays = members_after(segment, 0, 10)

    ask(api, "delete")

    with scope(sandbox, ACTOR):
        assert members_after(Segment.objects.for_sandbox(sandbox).get(), 0, 10) == [stays]
        told = Delivery.objects.for_sandbox(sandbox).filter(profile_id=gone)
        assert [delivery.entered for delivery in told] == [False, False]
    assert all(run.pending >= 0 for run in runs(sandbox))


def test_an_access_file_tells_of_segments_and_of_what_was_sent(api, sandbox, segment):
    access = ask(api, "access")

    content = b"".join(api.get(f"{URL}{access['id']}/content/").streaming_content)

    files = zipfile.ZipFile(io.BytesIO(content))
    [membership] = [
        json.loads(line) for line in files.read("segments-memberships.jsonl").splitlines()
    ]
    sent = [json.loads(line) for line in files.read("destinations-deliveries.jsonl").splitlines()]
    assert (membership["name"], membership["status"]) == ("Buyers", "realized")
    assert [(one["segment"], one["entered"]) for one in sent] == [("Buyers", True)] * 2
    assert access["receipts"]["destinations"] == {"deliveries": 2}
