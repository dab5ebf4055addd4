import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from cdp import queue
from cdp.clickhouse import client
from cdp.clickhouse.schema import tables
from cdp.datasets.models import RejectedRecord
from cdp.tenancy.models import AuditEvent
from cdp.tenancy.scope import bypass, scope
from profiles.models import DeletionOrder, Namespace, PrivacyJob, Suppression
from profiles.selectors.agreement import differences
from tests.factories import api_client
from tests.profiles.world import ECIDS, ME, event, fates, make_dataset, make_namespace, send

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]
CANARY = "canary-7f3a@luma.com"
LAPTOP = ECIDS["laptop"]
TOPICS = ["jobs.run", "batches.decided", "profiles.emptied", "records.received"]
URL = "/api/v1/privacy-jobs/"


@pytest.fixture
def web(sandbox):
    make_namespace(sandbox)
    return make_dataset(sandbox, "Web", events=True)


@pytest.fixture
def crm(sandbox, web):
    return make_dataset(
        sandbox,
        "CRM",
        events=False,
        identities=[("_luma.crmId", "CRM", True), ("personalEmail.address", "Email", False)],
    )


@pytest.fixture
def quiet(sandbox, web):
    return make_dataset(
        sandbox,
        "Quiet",
        events=False,
        identities=[("personalEmail.address", "Email", True)],
        enabled=False,
    )


@pytest.fixture
def person(sandbox, web, crm, quiet):
    """Sarah, known in every way there is, and John, who must not be touched."""
    row = {
        "_luma": {"crmId": "c-1"},
        "personalEmail": {"address": CANARY},
        "person": {"name": {"firstName": "Sarah"}},
    }
    john = {"_luma": {"crmId": "c-2"}, "personalEmail": {"address": "john@luma.com"}}
    send(sandbox, crm, [row, john])
    send(sandbox, quiet, [{"personalEmail": {"address": CANARY}}, john])
    broken = event("r") | {"identityMap": {"Email": [{"id": CANARY}], "ECID": [{"id": "1"}]}}
    send(
        sandbox,
        web,
        [
            event("1", ECID=LAPTOP),
            event("2", ECID=LAPTOP, Email=CANARY),
            event("3", ECID=ECIDS["phone"], Email="john@luma.com"),
            broken,
        ],
    )
    with scope(sandbox, ME):
        queue.publish(
            "records.received",
            {"receipt": "rcp_buried", "form": "plain"},
            sandbox=sandbox,
            body=json.dumps([{"personalEmail": {"address": CANARY}}, john]).encode(),
            available_at=timezone.now() + timedelta(days=1),
        )


def ask(api, *actions, identities=(("Email", CANARY),), **more):
    user = {
        "key": f"ticket of {CANARY}",
        "actions": list(actions),
        "identities": [{"namespace": ns, "value": value} for ns, value in identities],
    }
    answer = api.post(URL, {"regulation": "gdpr", "users": [user], **more})
    assert answer.status_code == 202, answer.json()
    queue.drain(TOPICS)
    return [api.get(f"{URL}{row['id']}/").json() for row in answer.json()["results"]]


def places_of(text):
    """Look for a text in every text, json and bytes column of both stores, in Redis, in files."""
    found = []
    with bypass(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type IN"
            " ('text', 'character varying', 'jsonb', 'json', 'bytea', 'ARRAY')"
        )
        for table, column, kind in cursor.fetchall():
            shown = (
                f"""convert_from("{column}", 'LATIN1')"""
                if kind == "bytea"
                else f'"{column}"::text'
            )
            cursor.execute(
                f'SELECT count(*) FROM "{table}" WHERE position(%s IN {shown}) > 0', [text]
            )
            if cursor.fetchone() != (0,):
                found.append(f"{table}.{column}")
    return found


def in_event_store(sandbox, text):
    return [
        table
        for table in sorted(tables())
        if client.fetch_text(
            f"SELECT 1 FROM {table} WHERE sandbox_id = {{sandbox:UInt32}}"
            f" AND position(formatRowNoNewline('JSONEachRow', {table}.*), {{text:String}}) > 0 LIMIT 1",
            sandbox=sandbox,
            params={"text": text},
            budget=client.MAINTENANCE,
        )
    ]


def in_redis(text):
    cache = redis.Redis.from_url(settings.REDIS_URL)
    keys = list(cache.scan_iter("*"))
    values = [cache.dump(key) or b"" for key in keys]
    return [key for key, value in zip(keys, values, strict=True) if text.encode() in key + value]


def in_files(text):
    root = Path(settings.FILES_URL.removeprefix("file://"))
    return [
        file for file in root.rglob("*") if file.is_file() and text.encode() in file.read_bytes()
    ]


def test_after_an_erasure_nothing_of_the_person_is_found_anywhere(api, sandbox, person):
    before = places_of(CANARY)
    assert {"profiles_identity.value", "profiles_fragment.document"} <= set(before)
    assert {"datasets_rejectedrecord.raw", "queue_queueitem.body"} <= set(before)
    assert set(in_event_store(sandbox, CANARY)) == {"events", "profiles", "records"}

    access, deletion = ask(api, "access", "delete")

    assert (access["state"], deletion["state"]) == ("complete", "complete")
    assert places_of(CANARY) == []
    assert in_event_store(sandbox, CANARY) == []
    assert in_redis(CANARY) == []
    assert in_files(CANARY) == []
    assert deletion["receipts"]["profiles"] == {"identities": 3, "fragments": 1, "profiles": 1}
    assert deletion["receipts"]["way in"]["rejected records"] == 1
    assert (deletion["identities"], deletion["user_key"]) == ([], "")
    assert api.get(f"{URL}{access['id']}/content/").json()["code"] == "content_gone"


@pytest.mark.parametrize(
    ("normaliser", "sent", "known_by"),
    [
        ("lowercase", " Canary-7F3A@Luma.com", "canary-7f3a@luma.com"),
        ("e164", "0049 (151) 2345-678", "+491512345678"),
        ("sha256", "sarah-7", hashlib.sha256(b"sarah-7").hexdigest()),
        ("email_sha256", "Sarah-7 ", hashlib.sha256(b"sarah-7").hexdigest()),
        ("e164_sha256", "+49 151 2345678", hashlib.sha256(b"+491512345678").hexdigest()),
    ],
)
def test_a_person_is_erased_however_she_was_written(api, sandbox, web, normaliser, sent, known_by):
    with scope(sandbox, ME):
        Namespace.objects.create(
            sandbox=sandbox, code="Own", code_key="own", type="Email", normaliser=normaliser
        )
    named = [("personalEmail.address", "Own", True)]
    rows = make_dataset(sandbox, "Rows", events=False, identities=named)
    quiet = make_dataset(sandbox, "Quiet", events=True, enabled=False)
    send(sandbox, rows, [{"personalEmail": {"address": sent}}])
    send(sandbox, quiet, [event("1") | {"identityMap": {"own": [{"id": sent}]}}])
    broken = {"Own": [{"id": sent}], "ECID": [{"id": "1"}]}
    send(sandbox, web, [event("2") | {"identityMap": broken}])
    assert set(in_event_store(sandbox, sent)) == {"events", "profiles", "records"}

    [deletion] = ask(api, "delete", identities=[("Own", known_by)])

    assert deletion["receipts"]["event store"] == {"events": 1, "records": 1}
    assert in_event_store(sandbox, sent) == []
    assert places_of(sent) == []


def test_others_stay_as_they_are(api, sandbox, person):
    ask(api, "delete")

    john = api.get("/api/v1/profiles/", {"identity": "Email:john@luma.com", "events": 9}).json()
    assert len(john["identities"]) == 3
    assert [e["event_id"] for e in john["events"]] == ["3"]
    assert api.get("/api/v1/profiles/", {"identity": f"Email:{CANARY}"}).status_code == 404
    assert len(places_of("john@luma.com")) > 0
    assert list(differences(sandbox)) == []


def test_old_data_sent_again_does_not_bring_the_person_back(api, sandbox, web, crm, person):
    ask(api, "delete")

    old = [event("new id", at="2026-11-01T00:00:00Z", ECID=LAPTOP, Email=CANARY)]
    row = [{"_luma": {"crmId": "c-1"}, "personalEmail": {"address": CANARY}}]
    assert fates(sandbox, send(sandbox, web, old)) == "r"
    assert fates(sandbox, send(sandbox, crm, row)) == "r"

    assert places_of(CANARY) == []
    with scope(sandbox, ME):
        aside = RejectedRecord.objects.for_sandbox(sandbox).order_by("-id").first()
        assert (aside.raw, aside.errors[0]["code"]) == ("{}", "erased")
        assert Suppression.objects.for_sandbox(sandbox).count() == 3


def test_old_data_do_not_come_back_where_they_make_nobody(api, sandbox, quiet, person):
    visits = make_dataset(sandbox, "Visits", events=True, enabled=False)
    ask(api, "delete")

    row = [{"personalEmail": {"address": CANARY}}, {"personalEmail": {"address": "x@luma.com"}}]
    old = event("new id", at="2026-11-01T00:00:00Z", Email=CANARY)
    later = event("later", at=(timezone.now() + timedelta(minutes=5)).isoformat(), Email=CANARY)

    assert fates(sandbox, send(sandbox, quiet, row)) == "rs"
    assert in_event_store(sandbox, CANARY) == []
    assert fates(sandbox, send(sandbox, visits, [old, later])) == "rs"


def test_what_the_person_does_later_may_come_in(api, sandbox, web, person):
    ask(api, "delete")

    later = event("later", at=(timezone.now() + timedelta(minutes=5)).isoformat(), Email=CANARY)

    assert fates(sandbox, send(sandbox, web, [later])) == "s"
    found = api.get("/api/v1/profiles/", {"identity": f"Email:{CANARY}"}).json()
    assert [one["value"] for one in found["identities"]] == [CANARY]


def test_an_access_file_holds_everything(api, sandbox, person):
    [access] = ask(api, "access")

    content = b"".join(api.get(f"{URL}{access['id']}/content/").streaming_content)

    files = zipfile.ZipFile(io.BytesIO(content))
    profile = json.loads(files.read("profiles.json"))[0]
    events = [json.loads(line)["_id"] for line in files.read("events.jsonl").splitlines()]
    others = [json.loads(line) for line in files.read("records-other.jsonl").splitlines()]
    assert len(profile["identities"]) == 3
    assert profile["attributes"]["person"] == {"name": {"firstName": "Sarah"}}
    assert sorted(events) == ["1", "2"]
    assert len(others) == 2
    assert all(row["personalEmail"]["address"] == CANARY for row in others)
    assert "john" not in content.decode("latin1")
    assert access["receipts"]["profiles"] == {"profiles": 1, "fragments": 1, "links": 2}


def test_an_unexpanded_erasure_leaves_the_rest_of_the_person(api, sandbox, person):
    ask(api, "delete", expand=False)

    rest = api.get("/api/v1/profiles/", {"identity": "CRM:c-1"}).json()
    assert [one["value"] for one in rest["identities"]] == ["c-1"]
    laptop = api.get("/api/v1/profiles/", {"identity": f"ECID:{LAPTOP}"}).json()
    assert [one["value"] for one in laptop["identities"]] == [LAPTOP]


def test_a_job_that_died_half_way_goes_on(api, sandbox, person, monkeypatch):
    from profiles.erasing import privacy

    def die(*_):
        raise RuntimeError("killed")

    real = privacy._elsewhere
    monkeypatch.setattr(privacy, "_elsewhere", die)
    user = {"actions": ["delete"], "identities": [{"namespace": "CRM", "value": "c-1"}]}
    [row] = api.post(URL, {"users": [user]}).json()["results"]
    queue.drain(TOPICS, forgiving=True)
    assert api.get(f"{URL}{row['id']}/").json()["state"] == "error"
    monkeypatch.setattr(privacy, "_elsewhere", real)

    [again] = ask(api, "delete", identities=[("CRM", "c-1"), ("Email", CANARY)])

    assert again["state"] == "complete"
    assert in_event_store(sandbox, CANARY) == []
    assert places_of(CANARY) == []


def test_an_order_that_failed_forgets_who_is_erased(api, sandbox, person):
    mary = {"namespace": "Email", "value": "mary@luma.com"}
    with scope(sandbox, ME):
        order = DeletionOrder.objects.create(
            sandbox=sandbox,
            kind="records",
            state="error",
            identities=[{"namespace": "Email", "value": CANARY}, mary],
        )

    ask(api, "delete")

    assert places_of(CANARY) == []
    with scope(sandbox, ME):
        order.refresh_from_db()
    assert order.identities == [mary]


def test_requests_need_their_permission_and_leave_no_name_in_the_trail(
    organization, sandbox, api, person
):
    stranger = api_client(organization, permissions=["view-profiles", "manage-profiles"])
    user = {"actions": ["delete"], "identities": [{"namespace": "Email", "value": CANARY}]}
    refused = stranger.post(URL, {"users": [user]})
    assert (refused.status_code, refused.json()["permission"]) == (403, "manage-privacy")
    with scope(sandbox, ME):
        assert not PrivacyJob.objects.for_sandbox(sandbox).exists()

    ask(api, "delete")

    with bypass():
        trail = list(AuditEvent.unscoped.filter(action="privacy_job.submitted"))
    assert len(trail) == 1


def test_a_request_names_at_most_nine_identities(api, sandbox, web):
    user = {
        "actions": ["access"],
        "identities": [{"namespace": "Email", "value": f"{n}@x"} for n in range(10)],
    }

    assert api.post(URL, {"users": [user]}).status_code in (400, 422)


def test_an_identity_that_cannot_be_is_named_by_its_user_and_place(api, sandbox):
    users = [
        {"actions": ["access"], "identities": [{"namespace": code, "value": "a"}]}
        for code in ("Email", "Nope")
    ]

    refused = api.post(URL, {"users": users}).json()

    assert [error["path"] for error in refused["errors"]] == ["users.1.identities.0"]
    with scope(sandbox, ME):
        assert not PrivacyJob.objects.for_sandbox(sandbox).exists()
