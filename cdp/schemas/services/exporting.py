"""Schemas out to other organizations and tools."""

from typing import Any

from cdp.schemas.models import Component, Descriptor, Schema
from cdp.schemas.registry.descriptor_form import in_xdm_form
from cdp.schemas.registry.descriptors import Descriptor as Statement
from cdp.schemas.registry.exchange import anonymous, in_order
from cdp.schemas.selectors import statements_of


def export_schema(schema: Schema) -> list[dict[str, Any]]:
    """Return the schema, what it rests on and what is said of it, without the tenant's name.

    Schemas that it refers to come along; standard resources are everywhere and stay
    out. Each document comes after those it needs.
    """
    sandbox = schema.sandbox
    tenant = sandbox.organization.tenant_namespace
    schemas = _with_destinations(schema)
    uris = {uri for each in schemas for uri in each.references}
    parts = Component.objects.for_sandbox(sandbox).filter(uri__in=uris).order_by("pk")
    ordered, _ = in_order([*(part.document for part in parts), *(s.document for s in schemas)])
    rows = Descriptor.objects.for_sandbox(sandbox).filter(schema__in=schemas)
    said = [
        in_xdm_form(_with_uri(row, statement), row.schema.uri)
        for row in rows.select_related("schema", "destination").order_by("pk")
        for statement in statements_of([row])
    ]
    return [anonymous(document, tenant) for document in [*ordered, *said]]


def _with_destinations(schema: Schema) -> list[Schema]:
    """Return the schema and those that its references lead to, however far."""
    found: dict[str, Schema] = {}
    waiting = [schema]
    while waiting:
        found |= {each.pk: each for each in waiting}
        rows = Descriptor.objects.for_sandbox(schema.sandbox).filter(schema__in=waiting)
        leading = rows.filter(destination__isnull=False).select_related("destination")
        far = {row.destination.pk: row.destination for row in leading if row.destination}
        waiting = [each for key, each in far.items() if key not in found]
    return list(found.values())


def _with_uri(row: Descriptor, statement: Statement) -> Statement:
    """Name the schema that a reference leads to by its `$id`, which travels."""
    if row.destination is None:
        return statement
    settings = {**statement.settings, "destination_schema": row.destination.uri}
    return Statement(statement.kind, statement.paths, settings)
