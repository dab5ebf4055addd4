"""A flow adds to what a profile has: its rows change only what they name, and put items behind others."""

import pytest

from tests.datasets.flowing import as_csv, connect, run
from tests.datasets.making import make_dataset, make_identity, make_schema

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]
EMAIL = "sarah@luma.example"


@pytest.fixture
def shops(settings, sandbox, tmp_path):
    """The folder that a connection to local files reads, and where files are staged."""
    settings.SOURCE_DIR, settings.FILES_URL = tmp_path / "sources", (tmp_path / "files").as_uri()
    folder = settings.SOURCE_DIR / str(sandbox.pk)
    folder.mkdir(parents=True)
    return folder


def make_flow(api, connection, dataset, tenant, function):
    """Make a flow whose rows carry an address and, between bars, what somebody likes."""
    rules = [
        {"kind": "attribute", "source": "mail", "destination": "personalEmail.address"},
        {
            "kind": "expression",
            "source": f"{function}(split(likes, '|'))",
            "destination": f"{tenant}.interests",
        },
    ]
    mapping = {"name": function, "schema_id": dataset.schema_id, "rules": rules}
    flow = {
        "name": function,
        "connection_id": connection,
        "selection": {"format": "csv", "path": function},
        "dataset_id": dataset.pk,
        "mapping_set_id": api.post("/api/v1/mapping-sets/", mapping).json()["id"],
    }
    made = api.post("/api/v1/flows/", flow)
    assert made.status_code == 201, made.json()
    return made.json()["id"]


def test_items_are_put_behind_those_there_or_in_their_place(api, sandbox, shops):
    tenant = f"_{sandbox.organization.tenant_namespace}"
    own = {"interests": {"type": "array", "items": {"type": "string"}}, "tier": {"type": "string"}}
    schema = make_schema(sandbox, title="Likes", events=False, own=own)
    make_identity(schema, "personalEmail.address", "Email", primary=True)
    dataset = make_dataset(sandbox, name="Likes", schema=schema, upsert=True)

    def bring(function, name, likes):
        (shops / function).mkdir(exist_ok=True)
        (shops / function / name).write_bytes(as_csv([{"mail": EMAIL, "likes": likes}]))
        told = run(api, flows[function])
        assert (told["state"], told["stored_records"]) == ("success", 1), told
        person = api.get("/api/v1/profiles/", {"identity": f"Email:{EMAIL}"}).json()
        return person["attributes"][tenant]["interests"]

    connection = connect(api, "files", {"url": "file:///"})
    flows = {
        function: make_flow(api, connection, dataset, tenant, function)
        for function in ("upsert_array_append", "upsert_array_replace")
    }

    assert bring("upsert_array_append", "1.csv", "running|yoga") == ["running", "yoga"]
    assert bring("upsert_array_append", "2.csv", "tennis") == ["running", "yoga", "tennis"]
    assert bring("upsert_array_replace", "1.csv", "golf") == ["golf"]
    assert bring("upsert_array_append", "3.csv", "yoga") == ["golf", "yoga"]
