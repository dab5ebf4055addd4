"""A loyalty file and a CRM tell of one person; her profile holds what both say."""

import pytest

from cdp import queue
from tests.datasets.flowing import as_csv, connect
from tests.datasets.servers.http import SECRET, serving
from tests.datasets.servers.odata import ODataApi
from tests.segments.shop import open_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

SARAH = "sarah@luma.example"
POINTS = [
    {"kind": "attribute", "source": "mail", "destination": "personalEmail.address"},
    {"kind": "attribute", "source": "points", "destination": "loyalty.points"},
]


@pytest.mark.acceptance("A-04")
@pytest.mark.acceptance("A-11")
@pytest.mark.acceptance("D-25")
def test_what_two_sources_say_of_one_person_is_in_one_profile(api, sandbox, settings, tmp_path):
    settings.FILES_URL = (tmp_path / "files").as_uri()
    settings.SOURCE_DIR = tmp_path / "sources"
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    folder = settings.SOURCE_DIR / str(sandbox.pk)
    folder.mkdir(parents=True)
    (folder / "loyalty.csv").write_bytes(as_csv([{"mail": SARAH, "points": "120"}]))
    person = {
        "contactid": "7", "firstname": "Sarah", "lastname": "Rose", "emailaddress1": SARAH,
        "modifiedon": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    people = open_shop(sandbox).people
    loyal = api.post(
        "/api/v1/datasets/",
        {"name": "Loyalty", "schema_id": people.schema_id, "profile_enabled": True},
    ).json()["id"]

    with serving(ODataApi(contacts=[person])) as server:
        crm = connect(api, "dynamics-365", {**server.settings, "client_secret": SECRET})
        suggested = _suggested(api, people, crm)
        points = connect(api, "files", {"url": "file:///"})
        runs = [
            _run(api, people.schema_id, people.pk, crm, {}, suggested),
            _run(api, people.schema_id, loyal, points, {"format": "csv"}, POINTS),
        ]

    assert [(each["state"], each["stored_records"]) for each in runs] == [("success", 1)] * 2
    profile = api.get(f"/api/v1/profiles/?identity=Email:{SARAH}").json()
    attributes = profile["attributes"]
    assert attributes["person"]["name"] == {"firstName": "Sarah", "lastName": "Rose"}
    assert attributes["loyalty"]["points"] == 120


def _suggested(api, people, connection):
    answer = api.post(
        "/api/v1/mapping-sets/suggest/",
        {"schema_id": people.schema_id, "connection_id": connection, "selection": {}},
    )
    return [each["rule"] for each in answer.json()["suggestions"]]


def _run(api, schema, dataset, connection, selection, rules):
    mapping = api.post(
        "/api/v1/mapping-sets/", {"name": connection, "schema_id": schema, "rules": rules}
    )
    assert mapping.status_code == 201, mapping.json()
    flow = api.post(
        "/api/v1/flows/",
        {
            "name": connection,
            "connection_id": connection,
            "selection": selection,
            "dataset_id": dataset,
            "mapping_set_id": mapping.json()["id"],
        },
    )
    assert flow.status_code == 201, flow.json()
    started = api.post(f"/api/v1/flows/{flow.json()['id']}/run/", {})
    queue.drain()
    return api.get(f"/api/v1/flow-runs/{started.json()['id']}/").json()
