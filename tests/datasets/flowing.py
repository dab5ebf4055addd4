"""What brings rows in: connections and flows made over the API, run, and counted in the stores."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rest_framework.test import APIClient

from cdp import queue
from cdp.clickhouse import client
from cdp.datasets.models import Dataset
from cdp.datasets.topics import BATCHES_LOADED, FLOW_RUNS, RECORDS_RECEIVED
from cdp.tenancy.models import Sandbox
from tests.datasets.making import make_dataset, make_schema

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS = [FLOW_RUNS, BATCHES_LOADED, RECORDS_RECEIVED]
NAMES = {"id": "contactid", "name": "firstname", "mail": "emailaddress1", "changed": "modifiedon"}
_COUNT = """
SELECT count(), uniqExact(toString(body.person.name.firstName)) FROM records
WHERE sandbox_id = {sandbox:UInt32}
"""
_STORED = """
SELECT toString(body.person.name.firstName) FROM records
WHERE sandbox_id = {sandbox:UInt32} ORDER BY 1
"""


def contacts(
    count: int, *, first: int = 0, names: dict[str, str] = NAMES, a_second: int = 100
) -> list[dict[str, Any]]:
    """Make contacts, changed one after the other, so many in each second."""
    return [
        {
            names["id"]: f"c-{n}",
            names["name"]: f"P{n}",
            names["mail"]: f"p{n}@luma.example",
            names["changed"]: (BEGIN + timedelta(seconds=n // a_second)).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
        }
        for n in range(first, first + count)
    ]


def as_csv(rows: Iterable[dict[str, Any]]) -> bytes:
    """Write rows as CSV."""
    given = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(given[0]))
    writer.writeheader()
    writer.writerows(given)
    return text.getvalue().encode()


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    """Write rows as Parquet."""
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def make_people(sandbox: Sandbox) -> Dataset:
    """Make a dataset of people; nobody takes a row for a duplicate of another."""
    schema = make_schema(sandbox, title="People", events=False, profile=False)
    return make_dataset(sandbox, name="People", schema=schema)


def connect(api: APIClient, kind: str, settings: dict[str, Any]) -> str:
    """Make a connection, and try it."""
    made = api.post(
        "/api/v1/connections/", {"name": f"A {kind}", "kind": kind, "settings": settings}
    )
    assert made.status_code == 201, made.json()
    tried = api.post(f"/api/v1/connections/{made.json()['id']}/test/")
    assert tried.status_code == 200, tried.json()
    return str(made.json()["id"])


def make_flow(
    api: APIClient,
    connection: str,
    selection: dict[str, Any],
    people: Dataset,
    *,
    names: dict[str, str] = NAMES,
    **values: Any,
) -> str:
    """Make a flow that writes names and addresses."""
    rules = [
        {"kind": "attribute", "source": names["name"], "destination": "person.name.firstName"},
        {"kind": "attribute", "source": names["mail"], "destination": "personalEmail.address"},
    ]
    mapping = api.post(
        "/api/v1/mapping-sets/", {"name": "M", "schema_id": people.schema_id, "rules": rules}
    )
    assert mapping.status_code == 201, mapping.json()
    made = api.post(
        "/api/v1/flows/",
        {
            "name": "Contacts",
            "connection_id": connection,
            "selection": selection,
            "dataset_id": people.pk,
            "mapping_set_id": mapping.json()["id"],
            **values,
        },
    )
    assert made.status_code == 201, made.json()
    return str(made.json()["id"])


def start(api: APIClient, flow: str, **window: str) -> str:
    """Start a run; nobody works on it yet."""
    response = api.post(f"/api/v1/flows/{flow}/run/", window)
    assert response.status_code == 202, response.json()
    return str(response.json()["id"])


def work(*, forgiving: bool = False) -> None:
    """Do everything there is to do, from reading the source to the event store.

    `forgiving` goes on as a worker does, where a claim of a dead one is settled by another.
    """
    queue.drain(TOPICS, forgiving=forgiving)


def run(api: APIClient, flow: str, **window: str) -> dict[str, Any]:
    """Run a flow to its end and return what is told of the run."""
    run_id = start(api, flow, **window)
    work()
    return read_run(api, run_id)


def read_run(api: APIClient, run_id: str) -> dict[str, Any]:
    """Return what is told of a run."""
    told: dict[str, Any] = api.get(f"/api/v1/flow-runs/{run_id}/").json()
    return told


def marker(api: APIClient, flow: str) -> Any:
    """Return how far a flow has read and stored."""
    return api.get(f"/api/v1/flows/{flow}/").json()["marker"]


def counted(sandbox: Sandbox) -> tuple[int, int]:
    """Return how many rows the event store holds, and how many different ones."""
    ((rows, keys),) = client.fetch_text(_COUNT, sandbox=sandbox, budget=client.LOOKUP)
    return int(rows), int(keys)


def stored_names(sandbox: Sandbox) -> list[str]:
    """Return the names in the event store."""
    rows = client.fetch_text(_STORED, sandbox=sandbox, budget=client.LOOKUP)
    return [str(name) for (name,) in rows]
