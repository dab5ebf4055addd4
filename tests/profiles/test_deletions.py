from datetime import timedelta

import pytest
from django.utils import timezone

from cdp import queue
from cdp.clickhouse import client
from cdp.clickhouse.errors import StoreUnavailable
from cdp.datasets.services.writing import write_records
from cdp.queue.models import QueueItem
from cdp.tenancy.scope import scope
from profiles.erasing import orders
from profiles.erasing.expiry import expire_due
from profiles.ingest import batches
from profiles.models import DeletionOrder, Fragment, IdentityLink, Profile, RetentionSettings
from profiles.models import Identity as IdentityRow
from profiles.selectors.agreement import differences
from profiles.services import privacy
from tests.profiles.world import ECIDS, ME, event, fates, make_dataset, make_namespace, send

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]
LAPTOP, PHONE, TABLET = ECIDS["laptop"], ECIDS["phone"], ECIDS["tablet"]
TOPICS = ["jobs.run", "batches.decided", "profiles.emptied", "records.received"]


@pytest.fixture
def web(sandbox):
    make_namespace(sandbox)
    return make_dataset(sandbox, "Web", events=True)


@pytest.fixture
def app(sandbox, web):
    return make_dataset(sandbox, "App", events=True)


@pytest.fixture
def crm(sandbox, web):
    return make_dataset(sandbox, "CRM", events=False, identities=[("_luma.crmId", "CRM", True)])


@pytest.fixture
def people(sandbox, web, app, crm):
    send(sandbox, crm, [{"_luma": {"crmId": f"c-{n}", "tier": "x"}} for n in (1, 2)])
    send(sandbox, web, [event("w1", ECID=LAPTOP, CRM="c-1"), event("w2", ECID=TABLET)])
    send(sandbox, app, [event("a1", ECID=PHONE, CRM="c-1"), event("a2", ECID=PHONE)])


def order(api, path, body):
    answer = api.post(f"/api/v1/{path}/", body)
    assert answer.status_code == 202, answer.json()
    queue.drain(TOPICS)
    return api.get(f"/api/v1/{path}/{answer.json()['id']}/").json()


def events(sandbox):
    rows = client.fetch_text(
        "SELECT event_id FROM events WHERE sandbox_id = {sandbox:UInt32} ORDER BY event_id",
        sandbox=sandbox,
        budget=client.LOOKUP,
    )
    return [key for (key,) in rows]


def values(sandbox):
    with scope(sandbox, ME):
        return sorted(IdentityRow.objects.for_sandbox(sandbox).values_list("value", flat=True))


def test_a_deleted_profile_is_gone_and_may_come_back(api, sandbox, web, people):
    done = order(
        api,
        "profile-deletes",
        {"identities": [{"namespace": "CRM", "value": "c-1"}], "title": "Test"},
    )

    assert (done["state"], done["count"]) == ("complete", 1)
    assert done["receipts"] == {"profiles": {"identities": 3, "fragments": 1, "profiles": 1}}
    assert values(sandbox) == sorted([TABLET, "c-2"])
    assert events(sandbox) == ["w2"]
    assert list(differences(sandbox)) == []
    assert fates(sandbox, send(sandbox, web, [event("new", CRM="c-1")])) == "s"
    assert api.get("/api/v1/profiles/", {"identity": "CRM:c-1"}).status_code == 200


def test_a_profile_that_merges_before_it_is_deleted_goes_with_its_survivor(api, sandbox, web):
    send(sandbox, web, [event("1", CRM="c-1"), event("2", ECID=LAPTOP)])
    laptop = {"namespace": "ECID", "value": LAPTOP}
    ordered = api.post("/api/v1/profile-deletes/", {"identities": [laptop]}).json()
    send(sandbox, web, [event("3", ECID=LAPTOP, CRM="c-1")])

    queue.drain(TOPICS)

    done = api.get(f"/api/v1/profile-deletes/{ordered['id']}/").json()
    assert done["receipts"] == {"profiles": {"identities": 2, "fragments": 0, "profiles": 2}}
    assert (values(sandbox), events(sandbox)) == ([], [])


def test_whoever_loses_the_last_row_is_nobody(api, sandbox, web, crm):
    send(sandbox, crm, [{"_luma": {"crmId": f"c-{n}"}} for n in (1, 2)])
    send(sandbox, web, [event("1", CRM="c-2")])

    rows = [{"_luma": {"crmId": f"c-{n}"}} for n in (1, 2, 3)]
    send(sandbox, crm, rows, operation="delete")
    queue.drain(TOPICS)

    assert values(sandbox) == ["c-2"]
    assert list(differences(sandbox)) == []


def test_what_a_dataset_says_goes_with_whom_it_alone_has_joined(api, sandbox, app, people):
    done = order(api, "profile-deletes", {"dataset_id": app.pk})

    assert done["state"] == "complete"
    assert events(sandbox) == ["w1", "w2"]
    assert values(sandbox) == sorted([LAPTOP, TABLET, "c-1", "c-2"])  # nothing is left of the phone
    with scope(sandbox, ME):
        assert IdentityLink.objects.for_sandbox(sandbox).count() == 1
    assert list(differences(sandbox)) == []


def test_rows_of_identities_go_in_one_dataset_or_in_all(api, sandbox, app, people):
    phone = {"namespace": "ECID", "value": PHONE}
    crm = {"namespace": "CRM", "value": "c-1"}

    order(api, "record-deletes", {"identities": [phone, crm], "dataset_id": app.pk})
    assert events(sandbox) == ["w1", "w2"]
    with scope(sandbox, ME):
        assert Fragment.objects.for_sandbox(sandbox).count() == 2

    order(api, "record-deletes", {"identities": [crm]})
    assert events(sandbox) == ["w2"]
    with scope(sandbox, ME):
        assert Fragment.objects.for_sandbox(sandbox).count() == 1
        row = DeletionOrder.objects.for_sandbox(sandbox).order_by("-id").first()
    assert (row.identities, row.count) == ([], 1)


def decide(sandbox, dataset, records, monkeypatch):
    """Have records decided on while the event store is away; they reach it later (`store`)."""

    def away(*_):
        raise StoreUnavailable("away")

    with monkeypatch.context() as meanwhile, scope(sandbox, ME):
        meanwhile.setattr(batches, "store", away)
        write_records(sandbox=sandbox, dataset=dataset, records=records)
        queue.drain(["records.received"], forgiving=True)


def store(sandbox):
    with scope(sandbox, ME):
        QueueItem.objects.for_sandbox(sandbox).update(available_at=timezone.now(), claim=None)
    queue.drain(TOPICS)


def test_whoever_has_an_event_on_its_way_is_not_nobody(api, sandbox, web, monkeypatch):
    laptop = {"namespace": "ECID", "value": LAPTOP}
    send(sandbox, web, [event("1", ECID=LAPTOP)])
    api.post("/api/v1/record-deletes/", {"identities": [laptop]})
    queue.drain(["jobs.run", "batches.decided"])
    decide(sandbox, web, [event("2", ECID=LAPTOP)], monkeypatch)

    queue.drain(["profiles.emptied"])
    store(sandbox)

    found = api.get("/api/v1/profiles/", {"identity": f"ECID:{LAPTOP}", "events": 5}).json()
    assert [one["event_id"] for one in found["events"]] == ["2"]
    assert list(differences(sandbox)) == []


def test_an_event_on_its_way_is_a_sign_of_life(api, sandbox, web, monkeypatch):
    asked = {"anonymous_namespaces": ["ECID"], "anonymous_days": 14}
    assert api.put("/api/v1/retention/", asked).status_code == 200
    send(sandbox, web, [event("1", ECID=LAPTOP)])
    _age(sandbox, days=15, but="nobody")
    decide(sandbox, web, [event("2", ECID=LAPTOP)], monkeypatch)

    expire_due()
    store(sandbox)

    found = api.get("/api/v1/profiles/", {"identity": f"ECID:{LAPTOP}", "events": 5}).json()
    assert [one["event_id"] for one in found["events"]] == ["2", "1"]


def test_an_event_on_its_way_goes_with_its_profile(api, sandbox, web, monkeypatch):
    send(sandbox, web, [event("1", ECID=LAPTOP)])
    real = orders.finish_open_batches
    once = iter([lambda: decide(sandbox, web, [event("2", ECID=LAPTOP)], monkeypatch)])

    def and_more(sandbox):
        real(sandbox)
        next(once, lambda: None)()

    monkeypatch.setattr(orders, "finish_open_batches", and_more)

    order(api, "profile-deletes", {"identities": [{"namespace": "ECID", "value": LAPTOP}]})
    store(sandbox)

    assert events(sandbox) == []
    assert values(sandbox) == []


def test_deletions_have_a_quota(api, sandbox, people, monkeypatch):
    monkeypatch.setattr(privacy, "DAILY", 2)
    one = {"identities": [{"namespace": "CRM", "value": "c-1"}]}
    two = {"identities": [{"namespace": "CRM", "value": f"c-{n}"} for n in (1, 2)]}
    order(api, "record-deletes", one)

    refused = api.post("/api/v1/record-deletes/", two)

    assert (refused.status_code, refused.json()["code"]) == (429, "deletion_quota_exceeded")
    assert api.get("/api/v1/record-deletes/quota/").json()["daily"] == {"used": 1, "limit": 2}
    with scope(sandbox, ME):
        assert DeletionOrder.objects.for_sandbox(sandbox).count() == 1


def test_rows_of_identities_go_where_they_make_nobody_too(api, sandbox, people, crm):
    quiet = make_dataset(sandbox, "Quiet", events=True, enabled=False)
    other = make_dataset(sandbox, "Other", events=True, enabled=False)
    send(sandbox, quiet, [event("q1", CRM="c-1"), event("q2", CRM="c-2")])
    send(sandbox, other, [event("o1", CRM="c-1")])
    first = {"namespace": "CRM", "value": "c-1"}

    done = order(api, "record-deletes", {"identities": [first], "dataset_id": quiet.pk})

    assert done["receipts"]["profiles"]["rows"] == 1
    assert events(sandbox) == ["a1", "a2", "o1", "q2", "w1", "w2"]
    assert stored_rows(sandbox, crm) == 2

    done = order(api, "record-deletes", {"identities": [first]})

    assert done["receipts"]["profiles"]["rows"] == 2
    assert "o1" not in events(sandbox)
    assert stored_rows(sandbox, crm) == 1


def stored_rows(sandbox, dataset):
    [[count]] = client.fetch_text(
        "SELECT count() FROM records WHERE sandbox_id = {sandbox:UInt32} AND dataset_id = {ds:String}",
        sandbox=sandbox,
        params={"ds": dataset.pk},
        budget=client.LOOKUP,
    )
    return count


def test_a_dataset_goes_with_its_rows_once_people_hold_nothing_of_it(
    api, sandbox, people, crm, web
):
    assert stored_rows(sandbox, crm) == 2
    for dataset in (crm, web):
        at = f"/api/v1/datasets/{dataset.pk}/"
        assert api.patch(at, {"profile_enabled": False}).status_code == 200
        before = (stored_rows(sandbox, dataset), events(sandbox))

        refused = api.delete(at)

        assert (refused.status_code, refused.json()["code"]) == (409, "dataset_not_empty")
        assert queue.drain(["datasets.deleted"]) == 0
        assert (stored_rows(sandbox, dataset), events(sandbox)) == before
        order(api, "profile-deletes", {"dataset_id": dataset.pk})
        assert stored_rows(sandbox, dataset) == before[0]
        assert api.delete(at).status_code == 204
        assert api.get(at).status_code == 404
        queue.drain(["datasets.deleted"])
        assert stored_rows(sandbox, dataset) == 0

    assert events(sandbox) == ["a1", "a2"]


@pytest.mark.parametrize(
    "body", [{}, {"ids": ["prf_1"], "dataset_id": "ds_1"}, {"dataset_id": "ds_no"}]
)
def test_an_order_says_what_goes(api, sandbox, people, body):
    assert api.post("/api/v1/profile-deletes/", body).status_code in (400, 404, 422)
    with scope(sandbox, ME):
        assert not DeletionOrder.objects.for_sandbox(sandbox).exists()


def test_anonymous_people_go_after_a_time_without_a_sign_of_life(api, sandbox, web, people):
    asked = {"anonymous_namespaces": ["ecid"], "anonymous_days": 14}
    assert api.put("/api/v1/retention/", asked).json()["anonymous_namespaces"] == ["ECID"]
    send(sandbox, web, [event("n", ECID="9" * 38)])
    before = values(sandbox)
    _age(sandbox, days=15, but="9" * 38)

    expire_due()
    queue.drain(TOPICS)

    assert set(before) - set(values(sandbox)) == {TABLET}
    assert "w2" not in events(sandbox)
    assert list(differences(sandbox)) == []
    with scope(sandbox, ME):
        assert RetentionSettings.objects.for_sandbox(sandbox).get().swept_at is not None


def _age(sandbox, days, but):
    """Make everything look older, except what one identity did."""
    with scope(sandbox, ME):
        then = timezone.now() - timedelta(days=days)
        old = IdentityRow.objects.for_sandbox(sandbox).exclude(value=but)
        Profile.objects.for_sandbox(sandbox).filter(pk__in=old.values("profile_id")).update(
            created_at=then
        )
        old.update(created_at=then)
        keys = list(old.values_list("pk", flat=True))
    client.execute(
        "ALTER TABLE events UPDATE ingested_at = ingested_at - INTERVAL 15 DAY"
        " WHERE sandbox_id = {sandbox:UInt32} AND identity_id IN {keys:Array(UInt64)}",
        sandbox=sandbox,
        params={"keys": keys},
        budget=client.MAINTENANCE,
    )


def test_retention_names_namespaces_that_there_are(api, sandbox):
    asked = {"anonymous_namespaces": ["Shoe"], "anonymous_days": 14}

    refused = api.put("/api/v1/retention/", asked)

    assert refused.json()["errors"][0]["code"] == "namespace_unknown"
    assert api.get("/api/v1/retention/").json()["anonymous_days"] is None


def test_what_is_no_profiles_id_is_not_deleted_in_silence(api, sandbox, web):
    refused = api.post("/api/v1/profile-deletes/", {"ids": ["prf_7", "7", "prf_x"]})

    assert refused.status_code == 422
    assert [error["path"] for error in refused.json()["errors"]] == ["ids.1", "ids.2"]
    with scope(sandbox, ME):
        assert not DeletionOrder.objects.for_sandbox(sandbox).exists()
    assert api.post("/api/v1/profile-deletes/", {"ids": ["prf_7"]}).status_code == 202
