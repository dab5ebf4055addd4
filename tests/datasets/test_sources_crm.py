"""Dynamics 365 and Salesforce, by servers that speak as they do: pages, tokens, bad moods."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

from cdp.datasets.sources import calling
from cdp.queue.models import QueueItem
from cdp.tenancy.scope import scope
from tests.datasets.flowing import (
    NAMES,
    connect,
    contacts,
    counted,
    make_flow,
    make_people,
    marker,
    read_run,
    run,
    start,
    stored_names,
    work,
)
from tests.datasets.making import ACTOR
from tests.datasets.offers import SALESFORCE_NAMES
from tests.datasets.servers.http import SECRET, serving
from tests.datasets.servers.odata import ODataApi
from tests.datasets.servers.salesforce import SalesforceApi

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]


@pytest.fixture(autouse=True)
def places(settings, tmp_path):
    settings.FILES_URL = (tmp_path / "files").as_uri()
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]


@pytest.fixture
def people(sandbox):
    return make_people(sandbox)


@pytest.fixture
def dynamics():
    with serving(ODataApi()) as server:
        yield server


@pytest.fixture
def salesforce():
    with serving(SalesforceApi()) as server:
        yield server


@pytest.fixture
def pauses(monkeypatch):
    """Return the pauses that were made, without making them."""
    made = []
    monkeypatch.setattr(calling, "time", SimpleNamespace(sleep=made.append))
    return made


def create(api, kind, server, **settings):
    whole = {**server.settings, "client_secret": SECRET, **settings}
    made = api.post("/api/v1/connections/", {"name": "CRM", "kind": kind, "settings": whole})
    assert made.status_code == 201, made.json()
    return made.json()["id"]


def flow_of(api, people, kind, server, selection=None, **values):
    connection = connect(api, kind, {**server.settings, "client_secret": SECRET})
    return make_flow(api, connection, selection or {}, people, **values)


@pytest.mark.acceptance("D-18")
@pytest.mark.acceptance("D-19")
@pytest.mark.acceptance("D-20")
def test_dynamics_is_authorised_tried_explored_previewed_and_mapped(api, dynamics, people):
    dynamics.contacts = contacts(150)
    connection = create(api, "dynamics-365", dynamics)
    url = f"/api/v1/connections/{connection}"

    tried = api.post(f"{url}/test/").json()
    tables = api.get(f"{url}/explore/").json()["results"]
    sample = api.post(f"{url}/preview/", {"selection": {}}).json()
    suggested = api.post(
        "/api/v1/mapping-sets/suggest/",
        {
            "schema_id": people.schema_id,
            "connection_id": connection,
            "selection": {},
        },
    )

    assert tried == {"result": "Connected; the service offers 2 entity sets."}
    assert [each["name"] for each in tables] == ["accounts", "contacts"]
    assert (len(sample["rows"]), dynamics.page_sizes) == (100, [100, 100])
    assert [each["name"] for each in sample["columns"]] == [
        "contactid",
        "firstname",
        "emailaddress1",
        "modifiedon",
    ]
    assert suggested.status_code == 200, suggested.json()
    destinations = {
        each["rule"]["source"]: each["rule"]["destination"]
        for each in suggested.json()["suggestions"]
    }
    assert destinations == {
        "firstname": "person.name.firstName",
        "emailaddress1": "personalEmail.address",
    }
    assert api.get(f"{url}/").json()["test_result"] == tried["result"]
    assert len(dynamics.tokens) == 4  # one for each call of ours


@pytest.mark.parametrize("kind", ["dynamics-365", "salesforce"])
def test_a_wrong_secret_is_refused_clearly_and_nowhere_repeated(api, request, kind, caplog, capsys):
    server = request.getfixturevalue({"dynamics-365": "dynamics"}.get(kind, kind))
    wrong = "wrong+/secret"
    connection = create(api, kind, server, client_secret=wrong)

    tried = api.post(f"/api/v1/connections/{connection}/test/")

    assert (tried.status_code, tried.json()["code"]) == (422, "source_failed")
    assert tried.json()["detail"] == (
        "No access token: the token server answered 401 (invalid_client)."
    )
    everything = caplog.text + "".join(capsys.readouterr())
    everything += api.get("/api/v1/audit-events/").content.decode()
    everything += api.get("/api/v1/connections/").content.decode()
    assert wrong not in everything


@pytest.mark.parametrize("place", ["base_url", "token_url"])
def test_a_secret_is_not_taken_along_to_another_server(api, dynamics, place):
    connection = create(api, "dynamics-365", dynamics)
    url = f"/api/v1/connections/{connection}/"
    before = api.get(url).json()

    refused = api.patch(url, {"settings": {place: "https://evil.example.com/x"}})

    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (
        422, "settings.client_secret",
    )  # fmt: skip
    assert api.get(url).json() == before


def test_an_answer_that_repeats_a_secret_is_blacked_out(api, dynamics, people):
    connection = create(api, "dynamics-365", dynamics, client_secret=SECRET)

    seen = api.post(
        f"/api/v1/connections/{connection}/preview/",
        {"selection": {"filter": f"name eq '{SECRET}'"}},
    )

    assert seen.status_code == 422
    assert "Syntax error in $filter: (name eq '***')" in seen.json()["detail"]


def test_dynamics_is_read_in_pages_and_then_by_what_was_modified(api, sandbox, dynamics, people):
    dynamics.contacts = contacts(2_500)
    flow = flow_of(api, people, "dynamics-365", dynamics)

    first = run(api, flow)
    assert dynamics.page_sizes[-3:] == [1000, 1000, 1000]
    dynamics.contacts += contacts(60, first=2_450)[50:]  # 2500 to 2509, in the second behind
    dynamics.contacts.append({**dynamics.contacts[2_499], "firstname": "Tied"})
    dynamics.contacts[3] = {
        **dynamics.contacts[3], "firstname": "Changed", "modifiedon": "2026-02-01T00:00:00Z",
    }  # fmt: skip
    second, third = run(api, flow), run(api, flow)

    assert [each["stored_records"] for each in (first, second, third)] == [2_500, 12, 0]
    assert first["marker_after"] == {"value": "2026-01-01T00:00:24+00:00"}
    assert marker(api, flow) == {"value": "2026-02-01T00:00:00+00:00"}
    assert dynamics.asked[-1].params["$filter"] == "modifiedon ge 2026-02-01T00:00:00Z"
    assert counted(sandbox) == (2_512, 2_512)


def test_chosen_columns_keep_the_one_that_tells_what_is_new(api, sandbox, dynamics, people):
    dynamics.contacts = contacts(10)
    selection = {"columns": ["firstname", "emailaddress1"], "page_size": 4}
    flow = flow_of(api, people, "odata", dynamics, {
        **selection, "entity": "contacts", "delta_column": "modifiedon",
    })  # fmt: skip

    assert [run(api, flow)["stored_records"], run(api, flow)["stored_records"]] == [10, 0]
    assert dynamics.asked[-1].params["$select"] == "firstname,emailaddress1,modifiedon"


def test_salesforce_is_read_by_a_query_and_its_next_records(api, sandbox, salesforce, people):
    salesforce.contacts = contacts(2_100, names=SALESFORCE_NAMES)
    connection = create(api, "salesforce", salesforce)
    url = f"/api/v1/connections/{connection}"
    tried = api.post(f"{url}/test/").json()
    objects = api.get(f"{url}/explore/").json()["results"]
    flow = make_flow(api, connection, {}, people, names=SALESFORCE_NAMES)

    first = run(api, flow)
    salesforce.contacts += contacts(5, first=2_100, names=SALESFORCE_NAMES)
    second, third = run(api, flow), run(api, flow)

    assert tried == {"result": "Connected; there are 2 kinds of object."}
    assert [each["name"] for each in objects] == ["Contact", "Lead"]
    assert [each["stored_records"] for each in (first, second, third)] == [2_100, 5, 0]
    assert counted(sandbox) == (2_105, 2_105)
    asked = [each for each in salesforce.asked if "q" in each.params]
    assert len(asked[0].params["q"]) > 5_000  # all columns, as a real contact has them
    assert (
        asked[-1]
        .params["q"]
        .endswith(
            " FROM Contact WHERE SystemModstamp >= 2026-01-01T00:00:21Z ORDER BY SystemModstamp"
        )
    )


@pytest.mark.parametrize("kind", ["dynamics-365", "salesforce"])
def test_a_token_that_ends_in_the_middle_is_renewed(api, sandbox, request, people, kind):
    server = request.getfixturevalue({"dynamics-365": "dynamics"}.get(kind, kind))
    names = SALESFORCE_NAMES if kind == "salesforce" else NAMES
    server.contacts = contacts(5_000, names=names)
    selection = {"columns": [names["name"], names["mail"]]}
    flow = flow_of(api, people, kind, server, selection, names=names)
    server.token_uses = 2
    server.tokens.clear()

    told = run(api, flow)

    assert (told["state"], counted(sandbox)) == ("success", (5_000, 5_000))
    assert len(server.tokens) >= 2


def test_a_busy_api_is_given_the_time_that_it_wants(api, sandbox, dynamics, people, pauses):
    dynamics.contacts = contacts(2_500)
    flow = flow_of(api, people, "dynamics-365", dynamics)
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    dynamics.troubles.extend(
        [(429, {"Retry-After": "7"}), (503, {"Retry-After": soon}), (500, {}), (502, {})]
    )

    told = run(api, flow)

    assert (told["state"], counted(sandbox)) == ("success", (2_500, 2_500))
    assert (pauses[0], 25 < pauses[1] <= 30, pauses[2:]) == (7, True, [8, 16])


def test_an_api_that_wants_long_rest_gives_the_worker_free(api, sandbox, dynamics, people, pauses):
    dynamics.contacts = contacts(10)
    flow = flow_of(api, people, "dynamics-365", dynamics)
    dynamics.troubles.append((429, {"Retry-After": "600"}))

    run_id = start(api, flow)
    work()

    told = read_run(api, run_id)
    assert (told["state"], pauses) == ("retrying", [])
    assert told["reason"].startswith("The API answered 429")
    with scope(sandbox, ACTOR):
        item = QueueItem.objects.for_sandbox(sandbox).get()
        assert 590 < (item.available_at - item.created_at).total_seconds() < 610
        QueueItem.objects.for_sandbox(sandbox).update(available_at=item.created_at)
    work()
    assert (read_run(api, run_id)["state"], counted(sandbox)) == ("success", (10, 10))


def test_an_api_that_stays_away_is_tried_again_later(api, dynamics, people, pauses):
    flow = flow_of(api, people, "dynamics-365", dynamics)
    dynamics.troubles.extend([(500, {})] * 5)
    run_id = start(api, flow)

    work(forgiving=True)

    told = read_run(api, run_id)
    assert (told["state"], pauses, marker(api, flow)) == ("retrying", [2, 4, 8, 16], None)


def test_nobody_waits_in_front_of_a_busy_api(api, dynamics, people):
    connection = create(api, "dynamics-365", dynamics)
    dynamics.troubles.append((429, {"Retry-After": "30"}))
    began = time.monotonic()

    tried = api.post(f"/api/v1/connections/{connection}/test/")

    assert tried.status_code == 422
    assert tried.json()["detail"].startswith("The API answered 429")
    assert time.monotonic() - began < 5


def test_what_an_api_refuses_fails_the_run_at_once(api, sandbox, dynamics, people, pauses):
    selection = {"entity": "nothing"}
    flow = flow_of(api, people, "dynamics-365", dynamics, selection)

    told = run(api, flow)

    assert (told["state"], pauses, counted(sandbox)) == ("failed", [], (0, 0))
    assert "Resource not found for the segment 'nothing'" in told["reason"]


def test_a_link_to_another_server_gets_no_token(api, sandbox, dynamics, people):
    flow = flow_of(api, people, "dynamics-365", dynamics)
    with serving(ODataApi(contacts=contacts(3))) as other:
        answer = {"value": contacts(1), "@odata.nextLink": f"{other.url}/api/data/v9.2/contacts"}
        dynamics.data = lambda asked: (200, answer)

        told = run(api, flow)

        assert other.asked == []
    assert told["state"] == "failed"
    assert told["reason"].startswith("The API leads to another server")


def test_an_api_that_turns_in_circles_is_left(api, sandbox, dynamics, people):
    flow = flow_of(api, people, "dynamics-365", dynamics)
    link = f"{dynamics.url}/api/data/v9.2/contacts"
    dynamics.data = lambda asked: (200, {"value": contacts(1), "@odata.nextLink": link})

    told = run(api, flow)

    assert (told["state"], told["reason"]) == (
        "failed", "The API gives the same page again and again.",
    )  # fmt: skip
    assert stored_names(sandbox) == []


@pytest.mark.acceptance("A-11")
@pytest.mark.acceptance("D-24")
def test_a_schedule_of_dynamics_is_set_changed_paused_and_told(api, sandbox, dynamics, people):
    dynamics.contacts = contacts(10)
    flow = flow_of(
        api, people, "dynamics-365", dynamics, schedule={"cron": "0 6 * * 1"}, backfill=False
    )
    url = f"/api/v1/flows/{flow}/"

    weekly = api.get(url).json()
    hourly = api.patch(url, {"schedule": {"every": 1, "unit": "hour"}}).json()
    paused = api.post(f"{url}disable/").json()
    by_hand = run(api, flow)
    runs = api.get(f"{url}runs/").json()["results"]

    assert datetime.fromisoformat(weekly["next_run_at"]).isoweekday() == 1
    assert hourly["next_run_at"] is not None
    assert (paused["state"], paused["next_run_at"]) == ("disabled", None)
    assert (by_hand["trigger"], by_hand["stored_records"]) == ("manual", 0)  # all are older
    assert [each["id"] for each in runs] == [by_hand["id"]]
    dynamics.contacts.append({**contacts(1)[0], "modifiedon": "2030-01-01T00:00:00Z"})
    assert run(api, flow)["stored_records"] == 1
    assert counted(sandbox) == (1, 1)
