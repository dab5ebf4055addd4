"""One object for each route of datasets."""

from io import BytesIO
from uuid import uuid4

from django.utils import timezone

from cdp.datasets.models import Receipt, RejectedRecord
from cdp.datasets.models.sources import (
    Connection,
    Flow,
    FlowRun,
    ForwardingRule,
    MappingSet,
)
from cdp.datasets.services.batches import create_batch
from cdp.datasets.services.connections import create_connection
from cdp.datasets.services.uploads import put_file
from cdp.tenancy.models import Sandbox
from tests.datasets.making import ACTOR, make_dataset, make_inlet
from tests.walls import names, opened_otherwise

DOOR = "a write key, or an inlet that asks for none: tests/datasets/test_collection.py"
opened_otherwise("/collection/{inlet_id}/", DOOR)
opened_otherwise("/collection/batch/{inlet_id}/", DOOR)
opened_otherwise("/v1/{endpoint}/", "a write key, which says the inlet")
opened_otherwise("/v1/projects/{key}/settings/", "the write key in the path")


@names("/api/v1/datasets/{pk}")
def dataset(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": make_dataset(sandbox, name="Walled data").pk}


@names("/api/v1/inlets/{pk}")
def inlet(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": make_inlet(sandbox, make_dataset(sandbox, name="Behind"), name="Walled").pk}


@names("/api/v1/batches/{pk}")
def batch(sandbox: Sandbox) -> dict[str, str]:
    made = create_batch(actor=ACTOR, dataset=make_dataset(sandbox, name="In batches"))
    return {"pk": made.pk}


@names("/api/v1/batches/{batch_id}")
def batch_with_files(sandbox: Sandbox) -> dict[str, str]:
    made = create_batch(actor=ACTOR, dataset=make_dataset(sandbox, name="In files"))
    return {"batch_id": made.pk}


@names("/api/v1/batches/{batch_id}/files/{name}")
def batch_file(sandbox: Sandbox) -> dict[str, str]:
    made = create_batch(actor=ACTOR, dataset=make_dataset(sandbox, name="In a file"))
    put_file(actor=ACTOR, batch=made, name="walled.jsonl", body=BytesIO(b"{}"))
    return {"batch_id": made.pk, "name": "walled.jsonl"}


@names("/api/v1/receipts/{pk}")
def receipt(sandbox: Sandbox) -> dict[str, str]:
    now = timezone.now()
    counts = {"records": 1, "stored": 1, "duplicates": 0, "rejected": 0, "ids_assigned": 0}
    made = Receipt.objects.create(
        sandbox=sandbox, received_at=now, finished_at=now, fates="s", **counts
    )
    return {"pk": made.pk}


@names("/api/v1/rejected-records/{pk}")
def rejected_record(sandbox: Sandbox) -> dict[str, str]:
    made = RejectedRecord.objects.create(
        sandbox=sandbox,
        receipt_id=f"rcp_{uuid4().hex}",
        position=0,
        raw="{}",
        errors=[],
        received_at=timezone.now(),
    )
    return {"pk": made.pk}


def _connection(sandbox: Sandbox) -> Connection:
    return create_connection(
        actor=ACTOR,
        sandbox=sandbox,
        name=f"Walled {uuid4().hex}",
        kind="files",
        settings={"url": "file:///walled"},
    )


def _flow(sandbox: Sandbox) -> Flow:
    dataset = make_dataset(sandbox, name=f"Filled by a flow {uuid4().hex}")
    return Flow.objects.create(
        sandbox=sandbox,
        name=f"Walled {uuid4().hex}",
        connection=_connection(sandbox),
        selection={},
        dataset=dataset,
    )


opened_otherwise("/api/v1/source-types/{pk}", "the kinds of sources are the same for everybody")


@names("/api/v1/connections/{pk}")
def connection(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": _connection(sandbox).pk}


@names("/api/v1/mapping-sets/{pk}")
def mapping_set(sandbox: Sandbox) -> dict[str, str]:
    schema = make_dataset(sandbox, name="Mapped").schema
    return {"pk": MappingSet.objects.create(sandbox=sandbox, schema=schema, name="Walled").pk}


@names("/api/v1/flows/{pk}")
def flow(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": _flow(sandbox).pk}


@names("/api/v1/flow-runs/{pk}")
def flow_run(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": FlowRun.objects.create(sandbox=sandbox, flow=_flow(sandbox), trigger="manual").pk}


@names("/api/v1/forwarding-rules/{pk}")
def forwarding_rule(sandbox: Sandbox) -> dict[str, str]:
    made = ForwardingRule.objects.create(
        sandbox=sandbox,
        name="Walled",
        url="https://sink.example/",
        secrets=b"",
    )
    return {"pk": made.pk}
