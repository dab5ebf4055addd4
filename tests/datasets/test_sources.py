"""Sources over HTTP: found in the catalogue, connected, looked at, mapped, scheduled, run."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone
from jsonschema import Draft202012Validator
from orjson import dumps

from cdp import queue
from cdp.datasets.models import Flow, FlowRun
from cdp.datasets.services import flow_work
from cdp.datasets.sources.base import SourceError
from cdp.datasets.sources.files import Files
from cdp.datasets.sources.registry import list_types
from cdp.datasets.topics import BATCHES_LOADED, FLOW_RUNS, FLOWS_DUE
from cdp.queue.models import QueueItem
from cdp.tenancy.scope import scope
from tests.datasets.making import ACTOR, make_dataset, make_schema
from tests.datasets.test_batches import ingest, stall

RULES = [
    {"kind": "attribute", "source": "firstname", "destination": "person.name.firstName"},
    {"kind": "attribute", "source": "emailaddress1", "destination": "personalEmail.address"},
    {
        "kind": "expression",
        "source": 'to_object("Email", [to_object("id", lower(emailaddress1), "primary", true)])',
        "destination": "identityMap",
    },
]


@pytest.fixture
def folder(settings, tmp_path, sandbox) -> Path:
    settings.FILES_URL = (tmp_path / "files").as_uri()
    settings.SOURCE_DIR = tmp_path / "sources"
    mine = settings.SOURCE_DIR / str(sandbox.pk) / "crm"
    mine.mkdir(parents=True)
    return mine


@pytest.fixture
def people(sandbox):
    schema = make_schema(sandbox, title="People", events=False)
    return make_dataset(sandbox, name="People", schema=schema)


def connect(api, **settings):
    response = api.post(
        "/api/v1/connections/",
        {"name": "CRM", "kind": "files", "settings": {"url": "file:///crm", **settings}},
    )
    assert response.status_code == 201, response.json()
    return response.json()["id"]


def post_flow(api, people, *, rules=None, **values):
    mapping = api.post(
        "/api/v1/mapping-sets/",
        {"name": "Contacts", "schema_id": people.schema_id, "rules": rules or RULES},
    )
    assert mapping.status_code == 201, mapping.json()
    return api.post(
        "/api/v1/flows/",
        {
            "name": "Contacts",
            "connection_id": connect(api),
            "selection": {"format": "json", "pattern": "*.json"},
            "dataset_id": people.pk,
            "mapping_set_id": mapping.json()["id"],
            **values,
        },
    )


def make_flow(api, people, **values):
    response = post_flow(api, people, **values)
    assert response.status_code == 201, response.json()
    return response.json()["id"]


def contact(number):
    return {"firstname": f"P{number}", "emailaddress1": f"P{number}@Luma.example", "x": None}


def put(folder, name, *rows):
    (folder / name).write_bytes(b"\n".join(map(dumps, rows)))


def run(api, flow, **window):
    response = api.post(f"/api/v1/flows/{flow}/run/", window)
    assert response.status_code == 202, response.json()
    work()
    return response.json()["id"]


def work():
    queue.drain([FLOW_RUNS, BATCHES_LOADED])


def read_run(api, run_id):
    return api.get(f"/api/v1/flow-runs/{run_id}/").json()


@pytest.mark.acceptance("D-17")
def test_the_catalogue_is_filtered_by_text_and_category(api):
    everything = api.get("/api/v1/source-types/").json()["results"]
    crm = api.get("/api/v1/source-types/?category=CRM").json()["results"]
    dynamics = api.get("/api/v1/source-types/?search=dynamics").json()["results"]
    one = api.get("/api/v1/source-types/sql/").json()

    assert {each["kind"] for each in everything} == {
        "analytics-data-feed", "dynamics-365", "files", "odata", "rest", "salesforce", "sql",
    }  # fmt: skip
    assert [each["title"] for each in crm] == ["Microsoft Dynamics 365", "Salesforce"]
    assert [each["kind"] for each in dynamics] == ["dynamics-365"]
    assert one["settings_schema"]["properties"]["password"]["writeOnly"] is True
    assert api.get("/api/v1/source-types/nothing/").status_code == 404


@pytest.mark.parametrize("source_type", list_types(), ids=lambda each: each.kind)
def test_what_a_kind_wants_is_said_in_valid_schemas(source_type):
    settings = source_type.settings_schema["properties"]
    selection = source_type.selection_schema

    for schema in (source_type.settings_schema, selection):
        Draft202012Validator.check_schema(schema)
        assert set(schema.get("required", [])) <= schema["properties"].keys()
    for name, each in selection["properties"].items():
        if "default" in each:
            assert list(Draft202012Validator(each).iter_errors(each["default"])) == [], name
    for secret in settings.keys() & source_type.sent_secrets.keys():
        places = source_type.sent_secrets[secret]
        assert settings[secret]["writeOnly"] is True
        assert ({places} if isinstance(places, str) else set(places)) <= settings.keys()


@pytest.mark.acceptance("A-10")
def test_an_analytics_feed_states_its_latency(api):
    feed = api.get("/api/v1/source-types/analytics-data-feed/").json()

    assert "hour" in feed["latency"]


def test_secrets_never_come_back_and_follow_their_address(api):
    settings = {"url": "sftp://me@files.example.com/in", "password": "hush"}
    made = api.post("/api/v1/connections/", {"name": "C", "kind": "files", "settings": settings})

    assert made.status_code == 201
    assert made.json()["settings"] == {"url": "sftp://me@files.example.com/in"}
    url = f"/api/v1/connections/{made.json()['id']}/"
    moved = api.patch(url, {"settings": {"url": "sftp://me@evil.example.com/in"}})
    assert moved.status_code == 422
    assert moved.json()["errors"][0]["path"] == "settings.password"
    assert "hush" not in api.get("/api/v1/audit-events/").content.decode()


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("files", {"url": "http://169.254.169.254/"}),
        ("files", {"url": "file:///../../etc"}),
        ("files", {"url": "simplecache::s3://x/y"}),
        ("files", {"url": "sftp://me:secret@host/x"}),
        ("sql", {"url": "sqlite:////etc/passwd"}),
        ("sql", {"url": "postgresql://u@h/db?host=/tmp"}),
        ("sql", {"url": "postgresql://u:secret@h/db"}),
        ("sql", {"url": "nonsense"}),
        ("rest", {"base_url": "file:///etc/passwd"}),
        ("rest", {"base_url": "https://x.example", "unknown": 1}),
        ("odata", {}),
    ],
)
def test_settings_that_cannot_work_are_refused(api, kind, settings):
    response = api.post("/api/v1/connections/", {"name": "C", "kind": kind, "settings": settings})

    assert response.status_code == 422, response.json()
    assert api.get("/api/v1/connections/").json()["results"] == []


@pytest.mark.parametrize(
    ("kind", "settings", "selection"),
    [
        ("sql", {"url": "postgresql://u@127.0.0.1/db"}, {"table": "t"}),
        ("sql", {"url": "postgresql://u@localhost/db"}, {"table": "t"}),
        ("files", {"url": "sftp://u@10.0.0.1/x"}, {"format": "csv"}),
        ("files", {"url": "s3://b/x", "endpoint_url": "https://127.0.0.1:9000"}, {"format": "csv"}),
        ("odata", {"base_url": "https://127.0.0.1/odata"}, {"entity": "contacts"}),
    ],
)
def test_no_source_leads_into_our_own_network(api, kind, settings, selection):
    made = api.post("/api/v1/connections/", {"name": "C", "kind": kind, "settings": settings})
    assert made.status_code == 201, made.json()
    url = f"/api/v1/connections/{made.json()['id']}"

    tried = api.post(f"{url}/test/")
    seen = api.post(f"{url}/preview/", {"selection": selection})

    for response in (tried, seen):
        assert (response.status_code, response.json()["code"]) == (422, "source_failed")


@pytest.mark.acceptance("D-19")
@pytest.mark.acceptance("D-20")
def test_a_source_is_tried_explored_and_previewed(api, folder):
    (folder / "day").mkdir()
    put(folder, "a.json", *(contact(n) for n in range(150)))
    connection = connect(api)

    tried = api.post(f"/api/v1/connections/{connection}/test/").json()
    entries = api.get(f"/api/v1/connections/{connection}/explore/").json()["results"]
    sample = api.post(
        f"/api/v1/connections/{connection}/preview/",
        {"selection": {"format": "json", "path": "a.json"}},
    ).json()

    assert tried == {"result": "Connected; there are 2 entries."}
    assert [(each["kind"], each["name"]) for each in entries] == [
        ("file", "a.json"),
        ("folder", "day"),
    ]
    assert [column["name"] for column in sample["columns"]] == ["firstname", "emailaddress1"]
    assert len(sample["rows"]) == 100
    outside = api.get(f"/api/v1/connections/{connection}/explore/?path=../..")
    assert outside.status_code == 422


@pytest.mark.acceptance("D-21")
def test_standard_fields_are_mapped_by_themselves(api, folder, people):
    response = api.post(
        "/api/v1/mapping-sets/suggest/",
        {
            "schema_id": people.schema_id,
            "columns": [
                {"name": "FirstName", "type": "string"},
                {"name": "e_mail", "type": "string"},
                {"name": "Date of Birth", "type": "date"},
                {"name": "zip", "type": "string"},
                {"name": "favourite_colour", "type": "string"},
            ],
        },
    )

    body = response.json()
    assert {
        each["rule"]["source"]: each["rule"]["destination"] for each in body["suggestions"]
    } == {
        "FirstName": "person.name.firstName",
        "e_mail": "personalEmail.address",
        "Date of Birth": "person.birthDate",
        "zip": "homeAddress.postalCode",
    }
    assert body["unmapped"] == ["favourite_colour"]


@pytest.mark.acceptance("D-22")
@pytest.mark.acceptance("D-23")
def test_rules_are_checked_tried_and_changed_in_versions(api, people):
    base = {"schema_id": people.schema_id}
    wrong = [{"kind": "attribute", "source": "a", "destination": "person.nmae"}]

    checked = api.post("/api/v1/mapping-sets/validate/", {**base, "rules": wrong}).json()
    tried = api.post(
        "/api/v1/mapping-sets/preview/",
        {
            **base,
            "rules": RULES,
            "rows": [contact(1), {"firstname": 5, "emailaddress1": "no mail"}],
        },
    ).json()["results"]

    assert checked["valid"] is False
    assert "Did you mean" in checked["errors"][0]["detail"]
    assert tried[0] == {
        "record": {
            "person": {"name": {"firstName": "P1"}},
            "personalEmail": {"address": "P1@Luma.example"},
            "identityMap": {"Email": [{"id": "p1@luma.example", "primary": True}]},
        },
        "errors": [],
    }
    assert [error["path"] for error in tried[1]["errors"]] == ["personalEmail.address"]
    made = api.post("/api/v1/mapping-sets/", {**base, "name": "M", "rules": RULES}).json()
    changed = api.patch(f"/api/v1/mapping-sets/{made['id']}/", {"rules": RULES[:1]}).json()
    assert (made["version"], changed["version"], changed["rules"]) == (1, 2, RULES[:1])
    versions = api.get(f"/api/v1/mapping-sets/{made['id']}/versions/").json()["results"]
    assert [each["number"] for each in versions] == [2, 1]
    refused = api.patch(f"/api/v1/mapping-sets/{made['id']}/", {"rules": wrong})
    assert (refused.status_code, refused.json()["code"]) == (422, "mapping_invalid")


def test_the_functions_of_the_language_are_listed(api):
    functions = api.get("/api/v1/mapping-sets/functions/").json()["results"]

    lower = next(each for each in functions if each["name"] == "lower")
    assert lower["example"] == {"expression": 'lower("ABC")', "result": "abc"}


@pytest.mark.acceptance("D-25")
@pytest.mark.acceptance("A-04")
def test_a_flow_brings_new_files_and_each_once(api, sandbox, folder, people):
    flow = make_flow(api, people)
    put(folder, "a.json", contact(1), contact(2))

    first = run(api, flow)
    assert read_run(api, first)["state"] == "storing"
    taken = ingest(sandbox)
    put(folder, "b.json", contact(3))
    second = run(api, flow)
    more = ingest(sandbox)
    third = run(api, flow)

    assert [record["person"]["name"]["firstName"] for record in taken] == ["P1", "P2"]
    assert [record["person"]["name"]["firstName"] for record in more] == ["P3"]
    told = [read_run(api, each) for each in (first, second, third)]
    assert [(each["state"], each["stored_records"]) for each in told] == [
        ("success", 2), ("success", 1), ("success", 0),
    ]  # fmt: skip
    runs = api.get(f"/api/v1/flows/{flow}/runs/").json()["results"]
    assert [each["id"] for each in runs] == [third, second, first]


def test_a_changed_file_is_read_again(api, sandbox, folder, people):
    flow = make_flow(api, people)
    put(folder, "a.json", contact(1))
    run(api, flow)
    ingest(sandbox)
    put(folder, "a.json", contact(1), contact(2))

    run(api, flow)

    assert len(ingest(sandbox)) == 2


def test_the_mark_never_moves_past_what_did_not_land(api, sandbox, folder, people):
    flow = make_flow(api, people, partial_percent=0)
    put(folder, "a.json", {"firstname": "X", "emailaddress1": "no mail"})

    failed = run(api, flow)
    assert (read_run(api, failed)["state"], read_run(api, failed)["failed_records"]) == (
        "failed",
        1,
    )
    put(folder, "a.json", contact(1))
    again = run(api, flow)

    assert len(ingest(sandbox)) == 1
    assert read_run(api, again)["state"] == "success"


def test_bad_rows_within_the_limit_make_a_partial_success(api, sandbox, folder, people):
    flow = make_flow(api, people, partial_percent=50)
    put(folder, "a.json", contact(1), {"firstname": "X", "emailaddress1": "no mail"})

    run_id = run(api, flow)
    ingest(sandbox)

    told = read_run(api, run_id)
    assert (told["state"], told["input_records"], told["stored_records"], told["failed_records"]) == (
        "partial", 2, 1, 1,
    )  # fmt: skip


def test_only_rows_that_pass_the_filter_are_taken(api, sandbox, folder, people):
    flow = make_flow(api, people, row_filter='firstname != "P2"')
    put(folder, "a.json", *(contact(n) for n in range(1, 4)))

    run_id = run(api, flow)
    taken = ingest(sandbox)

    assert [record["person"]["name"]["firstName"] for record in taken] == ["P1", "P3"]
    assert read_run(api, run_id)["input_records"] == 2


def test_a_worker_that_dies_while_reading_loses_and_doubles_nothing(
    api, sandbox, folder, people, monkeypatch
):
    flow = make_flow(api, people)
    put(folder, "a.json", contact(1))
    put(folder, "b.json", contact(2))
    real, written = flow_work._write, []

    def dies_in_the_second_file(target, name, part, heartbeat):
        if written:
            raise KeyboardInterrupt
        written.append(real(target, name, part, heartbeat))
        return written[-1]

    monkeypatch.setattr(flow_work, "_write", dies_in_the_second_file)
    response = api.post(f"/api/v1/flows/{flow}/run/", {})
    with pytest.raises(KeyboardInterrupt):
        work()
    monkeypatch.setattr(flow_work, "_write", real)
    with scope(sandbox, ACTOR):
        assert Flow.objects.for_sandbox(sandbox).get().marker is None
        QueueItem.objects.for_sandbox(sandbox).update(claim=None, available_at=timezone.now())

    work()

    taken = ingest(sandbox)
    assert [record["person"]["name"]["firstName"] for record in taken] == ["P1", "P2"]
    assert read_run(api, response.json()["id"])["state"] == "success"


def test_a_source_that_does_not_answer_is_tried_again_and_then_given_up(
    api, sandbox, folder, people, monkeypatch
):
    flow = make_flow(api, people)
    put(folder, "a.json", contact(1))

    def away(self, selection, window):
        raise SourceError("No answer.")

    monkeypatch.setattr(Files, "pull", away)
    response = api.post(f"/api/v1/flows/{flow}/run/", {})
    with pytest.raises(SourceError):
        queue.drain([FLOW_RUNS])
    run_id = response.json()["id"]
    assert (read_run(api, run_id)["state"], read_run(api, run_id)["reason"]) == (
        "retrying", "No answer.",
    )  # fmt: skip

    def broken(self, selection, window):
        raise SourceError("No such table.", permanent=True)

    monkeypatch.setattr(Files, "pull", broken)
    with scope(sandbox, ACTOR):
        QueueItem.objects.for_sandbox(sandbox).update(claim=None, available_at=timezone.now())
    queue.drain([FLOW_RUNS])
    told = read_run(api, run_id)
    assert (told["state"], told["reason"]) == ("failed", "No such table.")


def test_a_run_that_ends_its_workers_fails_and_the_flow_goes_on(api, sandbox, folder, people):
    flow = make_flow(api, people)
    first = api.post(f"/api/v1/flows/{flow}/run/", {}).json()["id"]
    with scope(sandbox, ACTOR):
        FlowRun.objects.for_sandbox(sandbox).filter(pk=first).update(state="reading")
        rows = QueueItem.objects.for_sandbox(sandbox).filter(topic=FLOW_RUNS)
        rows.update(deaths=settings.QUEUE_MAX_DEATHS - 1)

    work()

    assert read_run(api, first)["state"] == "failed"
    assert "died" in read_run(api, first)["reason"]
    run(api, flow)


def test_one_run_at_a_time_and_it_can_be_cancelled(api, sandbox, folder, people):
    flow = make_flow(api, people)
    put(folder, "a.json", contact(1))
    first = api.post(f"/api/v1/flows/{flow}/run/", {})

    second = api.post(f"/api/v1/flows/{flow}/run/", {})
    deleted = api.delete(f"/api/v1/flows/{flow}/")
    cancelled = api.post(f"/api/v1/flow-runs/{first.json()['id']}/cancel/")
    work()

    assert (second.status_code, second.json()["code"]) == (409, "run_active")
    assert deleted.status_code == 409
    assert cancelled.json()["state"] == "cancelled"
    assert read_run(api, first.json()["id"])["state"] == "cancelled"
    assert ingest(sandbox) == []
    assert api.delete(f"/api/v1/flows/{flow}/").status_code == 204


@pytest.mark.acceptance("D-24")
def test_a_schedule_runs_the_flow_by_itself(api, sandbox, folder, people, clock):
    put(folder, "a.json", contact(1))
    flow = make_flow(api, people, schedule={"every": 15, "unit": "minute"})

    def runs():
        queue.drain([FLOWS_DUE])
        with scope(sandbox, ACTOR):
            return FlowRun.objects.for_sandbox(sandbox).count()

    assert runs() == 1
    work()
    ingest(sandbox)
    clock.move(minutes=14)
    next_at = api.get(f"/api/v1/flows/{flow}/").json()["next_run_at"]
    assert next_at is not None
    clock.move(minutes=2)
    assert runs() == 2
    work()
    api.post(f"/api/v1/flows/{flow}/disable/")
    clock.move(minutes=30)
    assert runs() == 2
    assert api.get(f"/api/v1/flows/{flow}/").json()["next_run_at"] is None


def test_without_backfill_only_what_comes_later_is_taken(api, sandbox, folder, people):
    import os

    put(folder, "old.json", contact(1))
    past = (timezone.now() - timedelta(days=1)).timestamp()
    os.utime(folder / "old.json", (past, past))
    flow = make_flow(api, people, backfill=False)
    future = (timezone.now() + timedelta(seconds=5)).timestamp()
    put(folder, "new.json", contact(2))
    os.utime(folder / "new.json", (future, future))

    run(api, flow)

    assert [each["person"]["name"]["firstName"] for each in ingest(sandbox)] == ["P2"]


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"schedule": {"cron": "nonsense"}}, "schedule"),
        ({"schedule": {"every": 5}}, "schedule"),
        ({"schedule": {"every": 0, "unit": "minute"}}, "schedule"),
        ({"row_filter": "1 +"}, "row_filter"),
        ({"mapping_version": 9}, "mapping_version"),
        ({"selection": {"format": "xml"}}, "selection.format"),
    ],
)
def test_a_flow_that_cannot_work_is_refused(api, folder, people, values, path):
    response = post_flow(api, people, **values)

    assert response.status_code == 422
    assert [error["path"] for error in response.json()["errors"]] == [path]
    assert api.get("/api/v1/flows/").json()["results"] == []


def test_what_a_flow_uses_is_not_deleted(api, folder, people):
    flow = make_flow(api, people)
    api.patch(f"/api/v1/datasets/{people.pk}/", {"profile_enabled": False})
    body = api.get(f"/api/v1/flows/{flow}/").json()

    for resource, key in (
        ("connections", "connection_id"),
        ("mapping-sets", "mapping_set_id"),
        ("datasets", "dataset_id"),
    ):
        response = api.delete(f"/api/v1/{resource}/{body[key]}/")
        assert response.status_code == 409
        assert response.json()["dependents"] == [{"type": "flow", "id": flow, "name": "Contacts"}]


@pytest.mark.parametrize(
    "schedule", [{}, {"every": 1, "unit": "day"}, {"every": 1, "unit": "hour"}]
)
def test_a_start_on_any_clock_comes(api, sandbox, folder, people, clock, schedule):
    begin = (clock.now + timedelta(hours=1)).astimezone(ZoneInfo("Asia/Tokyo"))
    make_flow(api, people, schedule={**schedule, "start_at": begin.isoformat()})

    clock.move(hours=1, seconds=1)
    queue.drain([FLOWS_DUE])

    with scope(sandbox, ACTOR):
        assert FlowRun.objects.for_sandbox(sandbox).count() == 1


def test_a_flow_goes_on_when_a_batch_that_was_tried_in_vain_is_given_up(
    api, sandbox, folder, people, monkeypatch
):
    flow = make_flow(api, people)
    put(folder, "a.json", contact(1))
    first = api.post(f"/api/v1/flows/{flow}/run/", {}).json()["id"]
    queue.drain([FLOW_RUNS])
    batch = read_run(api, first)["batch_id"]
    stall(api, sandbox, batch, monkeypatch)

    assert api.post(f"/api/v1/batches/{batch}/abort/").status_code == 200

    assert read_run(api, first)["state"] == "failed"
    run(api, flow)
    assert [each["person"]["name"]["firstName"] for each in ingest(sandbox)] == ["P1"]
