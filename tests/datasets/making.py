"""Schemas, datasets and inlets for tests of data coming in."""

from typing import Any

from django.utils import timezone
from orjson import dumps
from rest_framework.test import APIClient

from cdp.datasets.models import Dataset, Inlet
from cdp.datasets.services.datasets import create_dataset
from cdp.datasets.services.inlets import create_inlet
from cdp.schemas.models import Descriptor, Schema
from cdp.schemas.registry.catalogue import (
    EVENT_CLASS,
    PROFILE_CLASS,
    standard_document,
    standard_resources,
)
from cdp.schemas.registry.resolve import resolve
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from cdp.tenancy.services.access import create_write_key

ACTOR = Actor.system("tests")
EVENT_GROUPS = (
    "Web Details",
    "Environment Details",
    "Marketing Details",
    "Commerce Details",
    "Application Details",
)
PROFILE_GROUPS = ("Demographic Details", "Personal Contact Details", "IdentityMap")


def make_schema(
    sandbox: Sandbox,
    *,
    title: str = "Web events",
    events: bool = True,
    groups: tuple[str, ...] | None = None,
    profile: bool = True,
    own: dict[str, Any] | None = None,
) -> Schema:
    """Make a schema of standard parts and fields of the tenant's own."""
    uris = {resource.title: uri for uri, resource in standard_resources().items()}
    names = groups if groups is not None else EVENT_GROUPS if events else PROFILE_GROUPS
    class_uri = EVENT_CLASS if events else PROFILE_CLASS
    document: dict[str, Any] = {
        "title": title,
        "type": "object",
        "allOf": [{"$ref": class_uri}, *({"$ref": uris[name]} for name in names if name in uris)],
    }
    if own:
        tenant = f"_{sandbox.organization.tenant_namespace}"
        document["properties"] = {tenant: {"type": "object", "properties": own}}
    with scope(sandbox, ACTOR):
        return Schema.objects.create(
            sandbox=sandbox,
            uri=f"https://ns.adobe.com/test/schemas/{title.lower().replace(' ', '-')}",
            title=title,
            document=document,
            resolved=resolve(document, standard_document),
            class_uri=class_uri,
            behavior="time-series" if events else "record",
            profile_enabled_at=timezone.now() if profile else None,
            identity_map_primary=True,
        )


def make_identity(schema: Schema, path: str, namespace: str, *, primary: bool = False) -> None:
    """Say that a field of the schema is an identity."""
    with scope(schema.sandbox, ACTOR):
        Descriptor.objects.create(
            sandbox=schema.sandbox,
            schema=schema,
            kind="identity",
            paths=[path],
            settings={"namespace": namespace, "primary": primary},
        )


def make_dataset(
    sandbox: Sandbox, *, name: str = "Web events", schema: Schema | None = None, **values: Any
) -> Dataset:
    """Make a dataset, of events unless its schema says otherwise."""
    given = schema or make_schema(sandbox, title=name)
    values.setdefault("profile_enabled", given.profile_enabled)
    with scope(sandbox, ACTOR):
        return create_dataset(actor=ACTOR, sandbox=sandbox, schema=given, name=name, **values)


def make_inlet(
    sandbox: Sandbox,
    *datasets: Dataset,
    door: str = "xdm",
    name: str = "Site",
    requires_key: bool = False,
    **values: Any,
) -> Inlet:
    """Make an inlet that writes to the datasets."""
    with scope(sandbox, ACTOR):
        return create_inlet(
            actor=ACTOR,
            sandbox=sandbox,
            name=name,
            door=door,
            datasets=datasets,
            requires_key=requires_key,
            **values,
        )


def make_key(inlet: Inlet) -> str:
    """Give the inlet a write key."""
    with scope(inlet.sandbox, ACTOR):
        _, key = create_write_key(
            actor=ACTOR, sandbox=inlet.sandbox, inlet_id=inlet.pk, name="Test"
        )
    return key


def event(number: int = 0, **fields: Any) -> dict[str, Any]:
    """Make a valid page view."""
    return {
        "_id": f"event-{number}",
        "timestamp": timezone.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventType": "web.webpagedetails.pageViews",
        "identityMap": {"ECID": [{"id": f"{number:038d}", "primary": True}]},
        **fields,
    }


def message(record: dict[str, Any], dataset: Dataset, **header: Any) -> dict[str, Any]:
    """Put a record into the envelope of XDM streaming."""
    reference = {"id": dataset.schema.uri}
    return {
        "header": {"schemaRef": reference, "datasetId": dataset.pk, **header},
        "body": {"xdmMeta": {"schemaRef": reference}, "xdmEntity": record},
    }


def send(inlet: Inlet, body: Any, *, path: str = "", key: str = "", **headers: Any) -> Any:
    """Send JSON to an inlet's door."""
    given = {"HTTP_AUTHORIZATION": f"Bearer {key}"} if key else {}
    return APIClient().generic(
        "POST",
        path or f"/collection/{inlet.pk}",
        body if isinstance(body, bytes) else dumps(body),
        content_type=headers.pop("content_type", "application/json"),
        **given,
        **headers,
    )
