"""A small world for the tests of profiles: two schemas, datasets, and ways to send to them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from cdp import queue
from cdp.datasets.models import Dataset, Receipt
from cdp.datasets.services.writing import write_records
from cdp.datasets.topics import RECORDS_RECEIVED
from cdp.schemas.models import Descriptor, Schema
from cdp.schemas.registry.catalogue import EVENT_CLASS, PROFILE_CLASS
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.models import Namespace

ME = Actor.system("tests")
TEXT = {"type": "string"}
NUMBER = {"type": "number"}


def objects(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


IDENTITY_MAP = {
    "type": "object",
    "additionalProperties": {
        "type": "array",
        "items": objects(id=TEXT, primary={"type": "boolean"}),
    },
}
PERSON = objects(
    identityMap=IDENTITY_MAP,
    person=objects(name=objects(firstName=TEXT, lastName=TEXT), gender=TEXT),
    personalEmail=objects(address=TEXT),
    mobilePhone=objects(number=TEXT),
    consents=objects(marketing=objects(email=objects(val=TEXT))),
    extSourceSystemAudit=objects(lastUpdatedDate=TEXT),
    _luma=objects(crmId=TEXT, tier=TEXT, points=NUMBER, interests={"type": "array", "items": TEXT}),
)
EVENT = objects(
    _id=TEXT,
    timestamp={"type": "string", "format": "date-time"},
    eventType=TEXT,
    identityMap=IDENTITY_MAP,
    web=objects(webPageDetails=objects(name=TEXT)),
    commerce=objects(order=objects(priceTotal=NUMBER)),
    _luma=objects(crmId=TEXT),
)
ECIDS = {name: str(place).zfill(38) for place, name in enumerate(["laptop", "phone", "tablet"], 1)}


def make_namespace(sandbox: Sandbox, code: str = "CRM", type_: str = "Cross_device") -> None:
    with scope(sandbox, ME):
        Namespace.objects.create(
            sandbox=sandbox, code=code, code_key=code.lower(), name=code, type=type_
        )


def make_dataset(
    sandbox: Sandbox,
    name: str,
    *,
    events: bool,
    identities: Iterable[tuple[str, str, bool]] = (),
    enabled: bool = True,
    **values: Any,
) -> Dataset:
    with scope(sandbox, ME):
        schema = Schema.objects.create(
            sandbox=sandbox,
            uri=f"https://ns.test/{name}",
            title=name,
            document={},
            resolved=EVENT if events else PERSON,
            class_uri=EVENT_CLASS if events else PROFILE_CLASS,
            behavior="time-series" if events else "record",
            profile_enabled_at=timezone.now(),
        )
        for path, namespace, primary in identities:
            Descriptor.objects.create(
                sandbox=sandbox,
                schema=schema,
                kind="identity",
                paths=[path],
                settings={"namespace": namespace, "primary": primary},
            )
        return Dataset.objects.create(
            sandbox=sandbox,
            name=name,
            schema=schema,
            behavior=schema.behavior,
            profile_enabled_at=timezone.now() - timedelta(seconds=1) if enabled else None,
            **values,
        )


def send(sandbox: Sandbox, dataset: Dataset, records: list[dict[str, Any]], **how: Any) -> str:
    """Write records down as a door does, and work on them; return the receipt's id."""
    with scope(sandbox, ME):
        receipt = write_records(sandbox=sandbox, dataset=dataset, records=records, **how)
    queue.drain([RECORDS_RECEIVED])
    return receipt


def fates(sandbox: Sandbox, receipt: str) -> str:
    with scope(sandbox, ME):
        return Receipt.objects.for_sandbox(sandbox).get(pk=receipt).fates


def identity_map(**identities: str) -> dict[str, list[dict[str, str]]]:
    return {namespace: [{"id": value}] for namespace, value in identities.items()}


def event(
    event_id: str, kind: str = "web.pageViews", at: str = "", **values: Any
) -> dict[str, Any]:
    """Make an event; keyword arguments that are namespaces name its identities."""
    named = {key: values.pop(key) for key in ("ECID", "Email", "CRM") if key in values}
    return {
        "_id": event_id,
        "eventType": kind,
        "timestamp": at or timezone.now().isoformat(timespec="milliseconds"),
        "identityMap": identity_map(**named),
        **values,
    }
