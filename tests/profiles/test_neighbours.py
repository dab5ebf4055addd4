"""What a shared cookie costs others, and when a split is seen."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from cdp import queue
from cdp.tenancy.scope import scope
from profiles.identity.rules import Identity
from profiles.ingest.batches import open_batches
from profiles.ingest.payload import OVERRIDES, Payload
from profiles.models import Identity as IdentityRow
from profiles.stitching.locks import take_graphs
from profiles.stitching.sightings import Sighting, Sightings
from profiles.stitching.stitch import stitch
from tests.profiles.test_stitch import ANYTHING, NOW
from tests.profiles.test_stitch import send as see
from tests.profiles.world import ECIDS, ME, event, make_dataset, make_namespace, send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
LAPTOP, PHONE = ECIDS["laptop"], ECIDS["phone"]
KIOSK = Identity("ECID", "9" * 38)


def crowd(first, last):
    return [({KIOSK, Identity("UserId", f"{n}")}, n) for n in range(first, last)]


def test_others_are_answered_while_a_hostile_batch_is_in_its_transaction(api, sandbox):
    make_namespace(sandbox)
    web = make_dataset(sandbox, "Web", events=True)
    send(sandbox, web, [event("1", ECID=LAPTOP, CRM="c-1")])
    stitched, answered = Event(), Event()

    def hostile():
        sightings = Sightings()
        for place, (together, at) in enumerate(crowd(0, 300)):
            sightings.see(together, Sighting(at, "ds_1", f"{place}"))
        try:
            with scope(sandbox, ME):
                take_graphs(sandbox)
                stitch(sandbox, sightings, ANYTHING, NOW)
                stitched.set()
                assert answered.wait(30)
        finally:
            stitched.set()
            connections.close_all()

    with ThreadPoolExecutor(1) as other:
        batch = other.submit(hostile)
        assert stitched.wait(30)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
            found = api.get("/api/v1/profiles/", {"identity": "CRM:c-1", "events": 5})
        finally:
            answered.set()
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")
        batch.result()

    assert found.status_code == 200
    assert [one["event_id"] for one in found.json()["events"]] == ["1"]


@pytest.mark.parametrize("before", [60, 240])
def test_one_more_person_at_a_shared_cookie_costs_as_much_however_many_there_were(sandbox, before):
    see(sandbox, crowd(0, before))

    with CaptureQueriesContext(connection) as captured:
        changed = see(sandbox, crowd(before, before + 1))

    assert len(captured) <= 25
    assert len(changed.rehomed) <= 1  # the one who loses her place
    with scope(sandbox, ME):
        kiosk = IdentityRow.objects.for_sandbox(sandbox).get(namespace="ECID")
        members = IdentityRow.objects.for_sandbox(sandbox).filter(profile_id=kiosk.profile_id)
        assert members.count() == 50


def test_a_split_and_its_undoing_are_decided_with_whose_events_they_are(api, sandbox):
    make_namespace(sandbox)
    web = make_dataset(sandbox, "Web", events=True)
    send(sandbox, web, [event("1", ECID=LAPTOP), event("2", ECID=PHONE)])
    send(sandbox, web, [event("3", ECID=LAPTOP, CRM="c-1")])
    send(sandbox, web, [event("4", ECID=PHONE, CRM="c-1")])
    key = api.get("/api/v1/profiles/", {"identity": "CRM:c-1"}).json()["id"]
    phone = {"namespace": "ECID", "value": PHONE}
    link = {"first": {"namespace": "CRM", "value": "c-1"}, "second": phone}

    for change, events in (("cut-link", ["2"]), ("restore-link", ["1", "2", "3", "4"])):
        answer = api.post(f"/api/v1/profiles/{key}/{change}/", link)
        [batch] = open_batches(sandbox)
        assert answer.status_code == 200
        assert len(Payload.unpack(bytes(batch.payload)).lines[OVERRIDES]) == 1
        shown = api.get("/api/v1/profiles/", {"identity": f"ECID:{PHONE}", "events": 9}).json()
        assert shown["id"] == answer.json()["second_profile"]
        assert sorted(one["event_id"] for one in shown["events"]) == events

        queue.drain(["batches.decided"])
        assert open_batches(sandbox) == []
