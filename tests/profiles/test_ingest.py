from datetime import timedelta

import pytest
from django.utils import timezone

from cdp import queue
from cdp.clickhouse import client
from cdp.datasets.models import RejectedRecord
from cdp.datasets.services.writing import write_records
from cdp.queue.models import QueueItem
from cdp.queue.periodic import run_if_due
from cdp.tenancy.scope import scope
from profiles.identity.rules import Identity
from profiles.ingest import batches, keys, months, worker
from profiles.ingest.payload import Payload
from profiles.models import EventKey, IngestBatch, Profile
from profiles.models import Identity as IdentityRow
from profiles.selectors.people import get_person_by_identity
from tests.profiles.world import ECIDS, ME, event, fates, make_dataset, make_namespace, send

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]
LAPTOP, PHONE = ECIDS["laptop"], ECIDS["phone"]
OWNED = """
SELECT e.event_id, if(o.profile_id != 0, o.profile_id, e.profile_id) AS owner
FROM events AS e
LEFT JOIN (
    SELECT identity_id, profile_id FROM profile_overrides FINAL
    WHERE sandbox_id = {sandbox:UInt32}
) AS o ON o.identity_id = e.identity_id
WHERE e.sandbox_id = {sandbox:UInt32} ORDER BY e.event_id
"""
SNAPSHOTS = """
SELECT profile_id, toJSONString(body) FROM profiles FINAL
WHERE sandbox_id = {sandbox:UInt32} ORDER BY profile_id
"""


@pytest.fixture
def web(sandbox):
    return make_dataset(sandbox, "Web", events=True)


@pytest.fixture
def crm(sandbox):
    make_namespace(sandbox)
    return make_dataset(
        sandbox,
        "CRM",
        events=False,
        identities=[("_luma.crmId", "CRM", True), ("personalEmail.address", "Email", False)],
    )


def stored(sandbox, sql):
    return client.fetch_text(sql, sandbox=sandbox, budget=client.LOOKUP)


def person(sandbox, namespace, value):
    with scope(sandbox, ME):
        return get_person_by_identity(sandbox, Identity(namespace, value))


def test_events_before_the_login_belong_to_the_person_who_logged_in(sandbox, web):
    send(sandbox, web, [event("1", ECID=LAPTOP), event("2", ECID=PHONE)])
    send(sandbox, web, [event("3", ECID=LAPTOP, Email="s@luma.com")])
    send(sandbox, web, [event("4", ECID=PHONE, Email="s@luma.com")])

    sarah = person(sandbox, "Email", "s@luma.com")
    assert {known.identity.value for known in sarah.identities} == {LAPTOP, PHONE, "s@luma.com"}
    assert stored(sandbox, OWNED) == [(str(n), sarah.id) for n in range(1, 5)]
    assert [profile for profile, _ in stored(sandbox, SNAPSHOTS)] == [sarah.id]


def test_an_event_that_is_sent_again_counts_once(sandbox, web):
    twice = event("1", ECID=LAPTOP)
    first = send(sandbox, web, [twice, twice])
    again = send(sandbox, web, [twice, event("2", ECID=LAPTOP)])

    assert (fates(sandbox, first), fates(sandbox, again)) == ("sd", "ds")
    assert [key for key, _ in stored(sandbox, OWNED)] == ["1", "2"]


def test_an_event_of_last_month_that_is_sent_again_counts_once(sandbox, web):
    with scope(sandbox, ME):
        write_records(sandbox=sandbox, dataset=web, records=[event("1", ECID=LAPTOP)])
    queue.drain(["records.received"])
    with scope(sandbox, ME):
        month = EventKey.objects.for_sandbox(sandbox).get().month
    assert month == timezone.now().date().replace(day=1)

    with scope(sandbox, ME):
        later = timezone.now() + timedelta(days=32)
        months.ensure(later.date())
        found = keys._take(sandbox, [keys.key_of(sandbox, web.pk, "1")], later.date(), month)
    assert found == set()


def test_months_of_keys_go_when_no_dataset_asks_for_them():
    now = timezone.now()
    days = [now - timedelta(days=days) for days in (0, 730, 800)]
    for day in days:
        months.ensure(day.date())

    assert run_if_due("profiles.months")

    kept = list(months._partitions())
    assert kept[0] == f"profiles_eventkey_{days[1]:%Y_%m}"
    assert f"profiles_eventkey_{now:%Y_%m}" in kept


def test_rows_become_one_merged_view_with_identities(sandbox, crm, web):
    send(sandbox, web, [event("1", ECID=LAPTOP, CRM="c-1")])
    row = {"_luma": {"crmId": "c-1", "points": 10.0}, "personalEmail": {"address": "s@luma.com"}}
    send(sandbox, crm, [row | {"person": {"name": {"firstName": "Sarah"}}}])

    sarah = person(sandbox, "Email", "s@luma.com")
    assert len(sarah.identities) == 3
    [(profile, body)] = stored(sandbox, SNAPSHOTS)
    assert profile == sarah.id
    assert '"firstName":"Sarah"' in body
    assert '"CRM":[{"id":"c-1"}]' in body


def test_a_record_that_names_nobody_is_put_aside_and_its_neighbours_go_on(sandbox, web):
    nobody = event("2") | {"identityMap": {}}
    receipt = send(sandbox, web, [event("1", ECID=LAPTOP), nobody, event("3", ECID=LAPTOP)])

    assert fates(sandbox, receipt) == "srs"
    with scope(sandbox, ME):
        aside = RejectedRecord.objects.for_sandbox(sandbox).get()
    assert (aside.position, aside.errors[0]["code"]) == (1, "identity_missing")
    assert [key for key, _ in stored(sandbox, OWNED)] == ["1", "3"]


def test_a_record_put_aside_may_come_again_under_its_id(sandbox, web):
    send(sandbox, web, [event("1") | {"identityMap": {}}])

    again = send(sandbox, web, [event("1", ECID=LAPTOP)])

    assert fates(sandbox, again) == "s"


def test_a_dataset_that_is_not_for_profiles_makes_nobody(sandbox):
    quiet = make_dataset(sandbox, "Quiet", events=True, enabled=False)

    send(sandbox, quiet, [event("1", ECID=LAPTOP)])

    assert stored(sandbox, OWNED) == [("1", 0)]
    with scope(sandbox, ME):
        assert Profile.objects.for_sandbox(sandbox).count() == 0
        assert IdentityRow.objects.for_sandbox(sandbox).count() == 0


def test_what_changed_is_published_once_it_is_stored(sandbox, web):
    send(sandbox, web, [event("1", ECID=LAPTOP), event("2", ECID=PHONE)])
    one, two = person(sandbox, "ECID", LAPTOP).id, person(sandbox, "ECID", PHONE).id
    send(sandbox, web, [event("3", ECID=PHONE, Email="s@luma.com")])
    send(sandbox, web, [event("4", ECID=LAPTOP, Email="s@luma.com")])

    with scope(sandbox, ME):
        news = QueueItem.objects.for_sandbox(sandbox).filter(topic="profiles.changed")
        said = list(news.order_by("id").values_list("payload", flat=True))
    assert said == [
        {"profiles": [one, two], "vanished": []},
        {"profiles": [two], "vanished": []},
        {"profiles": [one], "vanished": [[two, one]]},
    ]


@pytest.mark.parametrize("phase", ["store", "settle"])
def test_a_crash_goes_on_with_the_same_batch(sandbox, web, monkeypatch, phase):
    real = getattr(batches, phase)

    def crash(*args):
        if phase == "store":
            real(*args)
        raise RuntimeError("killed")

    monkeypatch.setattr(batches, phase, crash)
    with scope(sandbox, ME):
        receipt = write_records(sandbox=sandbox, dataset=web, records=[event("1", ECID=LAPTOP)])
    queue.drain(["records.received"], forgiving=True)
    with scope(sandbox, ME):
        assert IngestBatch.objects.for_sandbox(sandbox).count() == 1
    monkeypatch.setattr(batches, phase, real)

    other = send(sandbox, web, [event("2", ECID=LAPTOP)])  # a claim without the crashed row
    with scope(sandbox, ME):
        QueueItem.objects.for_sandbox(sandbox).update(available_at=timezone.now(), claim=None)
    queue.drain(["records.received"])

    assert fates(sandbox, receipt) == fates(sandbox, other) == "s"
    assert [key for key, _ in stored(sandbox, OWNED)] == ["1", "2"]
    with scope(sandbox, ME):
        assert IngestBatch.objects.for_sandbox(sandbox).count() == 0


def test_what_the_store_refuses_is_found_by_halving_and_put_aside(sandbox, web, monkeypatch):
    poison = event("3", ECID=LAPTOP)

    def with_poison(line):
        return (
            line.replace(b'"body":{', b'"body":{"a.b":1,"a":{"b":2},') if b'"3"' in line else line
        )

    real = worker.decide

    def poisoned(*args):
        batch = real(*args)
        payload = Payload.unpack(batch.payload)
        payload.lines["events"][:] = map(with_poison, payload.lines["events"])
        batch.payload = payload.pack()
        batch.save()
        return batch

    monkeypatch.setattr(worker, "decide", poisoned)
    events = [event(str(n), ECID=LAPTOP) for n in (1, 2)] + [poison, event("4", ECID=LAPTOP)]
    receipt = send(sandbox, web, events)

    assert fates(sandbox, receipt) == "ssrs"
    assert [key for key, _ in stored(sandbox, OWNED)] == ["1", "2", "4"]
    with scope(sandbox, ME):
        aside = RejectedRecord.objects.for_sandbox(sandbox).get()
    assert (aside.position, aside.errors[0]["code"]) == (2, "store_refused")

    monkeypatch.setattr(worker, "decide", real)
    assert fates(sandbox, send(sandbox, web, [poison])) == "s"


def test_what_the_database_cannot_hold_is_put_aside(sandbox, crm, monkeypatch):
    rows = [{"_luma": {"crmId": f"c-{n}", "tier": "a"}} for n in range(4)]
    rows[2]["_luma"]["tier"] = "a\0b"
    monkeypatch.setattr("cdp.datasets.examine._schema_errors", lambda *_: [])

    receipt = send(sandbox, crm, rows)

    assert fates(sandbox, receipt) == "ssrs"
    with scope(sandbox, ME):
        aside = RejectedRecord.objects.for_sandbox(sandbox).get()
    assert (aside.position, aside.errors[0]["code"]) == (2, "unstorable")


def test_operations_replace_merge_and_delete(sandbox, crm):
    def view():
        return person(sandbox, "CRM", "c-1").fragments

    send(sandbox, crm, [{"_luma": {"crmId": "c-1", "tier": "gold", "points": 1.0}}])
    send(sandbox, crm, [{"_luma": {"crmId": "c-1", "points": 2.0}}], operation="merge")
    assert view()[0].document == {"_luma": {"crmId": "c-1", "tier": "gold", "points": 2.0}}

    send(sandbox, crm, [{"_luma": {"crmId": "c-1"}}])
    assert view()[0].document == {"_luma": {"crmId": "c-1"}}

    send(sandbox, crm, [{"_luma": {"crmId": "c-1"}}], operation="delete")
    assert view() == ()
