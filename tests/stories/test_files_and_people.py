"""Files from every corner of a shop become one person, and can be taken back as if they never came."""

import pytest
from orjson import dumps

from cdp import queue
from cdp.clickhouse import client
from cdp.tenancy.scope import scope
from profiles import receivers
from profiles.identity.rules import Identity
from profiles.models import EventKey, IngestBatch
from profiles.models import Identity as IdentityRow
from profiles.selectors.agreement import differences
from profiles.selectors.people import get_person_by_identity
from tests.profiles.world import ECIDS, ME, event, make_dataset, make_namespace, send

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]
LAPTOP, PHONE = ECIDS["laptop"], ECIDS["phone"]
EMAIL = "sarah@luma.example"
STAGES = ["batches.loaded", "records.received", "batches.reverted", "profiles.emptied"]
STORED = """
SELECT e.event_id, e.event_type, if(o.profile_id != 0, o.profile_id, e.profile_id)
FROM events AS e
LEFT JOIN (
    SELECT identity_id, profile_id FROM profile_overrides FINAL
    WHERE sandbox_id = {sandbox:UInt32}
) AS o ON o.identity_id = e.identity_id
WHERE e.sandbox_id = {sandbox:UInt32} ORDER BY e.event_id
"""


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.FILES_URL = tmp_path.as_uri()


@pytest.fixture
def web(sandbox):
    make_namespace(sandbox)
    return make_dataset(sandbox, "Website", events=True)


def upload(api, dataset, rows):
    """Send rows as a file; return the batch."""
    batch = api.post("/api/v1/batches/", {"dataset_id": dataset.pk}).json()["id"]
    route = f"/api/v1/batches/{batch}/"
    body = b"\n".join(dumps(row) for row in rows)
    api.generic("PUT", f"{route}files/rows.json", body, content_type="application/octet-stream")
    assert api.post(f"{route}complete/").status_code == 202
    queue.drain([*STAGES, "batches.decided"])
    return batch


def state(api, batch):
    told = api.get(f"/api/v1/batches/{batch}/").json()
    return told["state"], told["stored_records"], told["duplicate_records"]


def stored(sandbox):
    return client.fetch_text(STORED, sandbox=sandbox, budget=client.LOOKUP)


def owners(sandbox):
    with scope(sandbox, ME):
        rows = IdentityRow.objects.for_sandbox(sandbox).values_list("value", "profile_id")
        return dict(rows)


def person(sandbox, namespace, value):
    with scope(sandbox, ME):
        return get_person_by_identity(sandbox, Identity(namespace, value))


@pytest.mark.acceptance("B-42")
def test_responses_to_a_campaign_come_in_as_a_file(api, sandbox, web):
    send(sandbox, web, [event("visit", ECID=LAPTOP, Email=EMAIL)])
    responses = [
        event("open", "directMarketing.emailOpened", Email=EMAIL),
        event("click", "directMarketing.emailClicked", Email=EMAIL),
    ]

    batch = upload(api, web, responses)

    assert state(api, batch) == ("success", 2, 0)
    sarah = person(sandbox, "Email", EMAIL)
    assert stored(sandbox) == [
        ("click", "directMarketing.emailClicked", sarah.id),
        ("open", "directMarketing.emailOpened", sarah.id),
        ("visit", "web.pageViews", sarah.id),
    ]
    assert state(api, upload(api, web, responses)) == ("success", 0, 2)
    assert len(stored(sandbox)) == 3


@pytest.mark.acceptance("D-04")
def test_six_sources_feed_one_profile(api, sandbox, web):
    people = [("_luma.crmId", "CRM", True), ("personalEmail.address", "Email", False)]
    app, calls, till = (make_dataset(sandbox, n, events=True) for n in ("App", "Calls", "Till"))
    loyalty, crm = (
        make_dataset(sandbox, n, events=False, identities=people) for n in ("Loyalty", "CRM")
    )
    sarah = {"_luma": {"crmId": "c-1"}, "personalEmail": {"address": EMAIL}}

    send(sandbox, web, [event("site", ECID=LAPTOP)])
    send(sandbox, web, [event("login", ECID=LAPTOP, Email=EMAIL)])
    send(sandbox, app, [event("app", "application.launches", ECID=PHONE, Email=EMAIL)])
    send(sandbox, crm, [sarah | {"person": {"name": {"firstName": "Sarah"}}}])
    upload(api, loyalty, [{"_luma": {"crmId": "c-1", "tier": "gold"}}])
    upload(api, till, [event("till", "commerce.purchases", CRM="c-1")])
    send(sandbox, calls, [event("call", "call.answered", CRM="c-1")])

    found = person(sandbox, "ECID", LAPTOP)
    values = {known.identity.value for known in found.identities}
    assert values == {LAPTOP, PHONE, EMAIL, "c-1"}
    assert {(key, owner) for key, _, owner in stored(sandbox)} == {
        (key, found.id) for key in ("site", "login", "app", "till", "call")
    }
    [(body,)] = client.fetch_text(
        "SELECT toJSONString(body) FROM profiles FINAL "
        "WHERE sandbox_id = {sandbox:UInt32} AND deleted = 0",
        sandbox=sandbox,
        budget=client.LOOKUP,
    )
    assert '"firstName":"Sarah"' in body
    assert '"tier":"gold"' in body


def test_a_batch_that_joined_two_people_is_taken_back_and_replayed_once(
    api, sandbox, web, monkeypatch
):
    send(sandbox, web, [event("1", ECID=LAPTOP), event("2", ECID=PHONE)])
    before, events_before = owners(sandbox), stored(sandbox)
    rows = [event("3", ECID=LAPTOP, CRM="c-1"), event("4", ECID=PHONE, CRM="c-1")]
    batch = upload(api, web, rows)
    assert len(set(owners(sandbox).values())) == 1
    finish, tried = receivers.finish_batch, []

    def die_once(*args):
        tried.append(args)
        if len(tried) == 1:
            raise RuntimeError("killed in the middle")
        finish(*args)

    monkeypatch.setattr(receivers, "finish_batch", die_once)
    assert api.post(f"/api/v1/batches/{batch}/revert/").status_code == 202
    queue.drain(["batches.reverted"], forgiving=True)
    assert state(api, batch)[0] == "reverting"
    with scope(sandbox, ME):
        queue.models.QueueItem.objects.for_sandbox(sandbox).update(available_at="2020-01-01T00:00Z")
    queue.drain([*STAGES, "batches.decided"])

    assert state(api, batch)[0] == "inactive"
    assert (owners(sandbox), stored(sandbox)) == (before, events_before)
    with scope(sandbox, ME):
        assert EventKey.objects.for_sandbox(sandbox).count() == 2

    again = api.post(f"/api/v1/batches/{batch}/replay/").json()["id"]
    queue.drain([*STAGES, "batches.decided"])

    assert state(api, again) == ("success", 2, 0)
    assert [key for key, _, _ in stored(sandbox)] == ["1", "2", "3", "4"]
    assert len(set(owners(sandbox).values())) == 1
    assert list(differences(sandbox)) == []
    with scope(sandbox, ME):
        left = IngestBatch.objects.for_sandbox(sandbox).filter(published=True)
        assert not left.exists()


def test_a_replay_takes_the_place_of_a_batch_whose_events_are_stored(api, sandbox, web):
    rows = [event("1", ECID=LAPTOP), event("2", ECID=PHONE)]
    batch = upload(api, web, rows)

    again = api.post(f"/api/v1/batches/{batch}/replay/").json()["id"]
    queue.drain([*STAGES, "batches.decided"])

    assert state(api, batch)[0] == "inactive"
    assert [key for key, _, _ in stored(sandbox)] == ["1", "2"]
    assert state(api, again) == ("success", 2, 0)
