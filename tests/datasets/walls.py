"""One object for each route of datasets."""

from io import BytesIO
from uuid import uuid4

from django.utils import timezone

from cdp.datasets.models import Receipt, RejectedRecord
from cdp.datasets.services.batches import create_batch
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
