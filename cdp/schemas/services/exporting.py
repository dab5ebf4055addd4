"""Schemas out to other organizations and tools."""

from typing import Any

from cdp.schemas.models import Component, Descriptor, Schema
from cdp.schemas.registry.descriptor_form import in_xdm_form
from cdp.schemas.registry.descriptors import Descriptor as Statement
from cdp.schemas.registry.exchange import anonymous, in_order
from cdp.schemas.selectors import statements_of


def export_schema(schema: Schema) -> list[dict[str, Any]]:
    """Return the schema, what it rests on and what is said of it, without the tenant's name.

    Standard resources are everywhere and stay out. Each document comes after those it
    refers to.
    """
    sandbox = schema.sandbox
    tenant = sandbox.organization.tenant_namespace
    parts = Component.objects.for_sandbox(sandbox).filter(uri__in=schema.references)
    ordered, _ = in_order([*(part.document for part in parts.order_by("pk")), schema.document])
    rows = Descriptor.objects.for_sandbox(sandbox).filter(schema=schema).order_by("pk")
    said = [
        in_xdm_form(_with_uri(row, statement), schema.uri)
        for row in rows.select_related("destination")
        for statement in statements_of([row])
    ]
    return [anonymous(document, tenant) for document in [*ordered, *said]]


def _with_uri(row: Descriptor, statement: Statement) -> Statement:
    """Name the schema that a reference leads to by its `$id`, which travels."""
    if row.destination is None:
        return statement
    settings = {**statement.settings, "destination_schema": row.destination.uri}
    return Statement(statement.kind, statement.paths, settings)
