"""Computed attributes, and the fields that they give to people."""

from collections.abc import Mapping

from django.db.models import QuerySet

from cdp.schemas.registry.fields import Field
from cdp.tenancy.models import Sandbox
from profiles.computed.definition import result_fields
from profiles.computed.evaluating import event_fields, published
from profiles.models import ComputedAttribute


def list_computed_attributes(sandbox: Sandbox) -> QuerySet[ComputedAttribute]:
    """Return the sandbox's computed attributes."""
    return ComputedAttribute.objects.for_sandbox(sandbox)


def computed_fields(sandbox: Sandbox) -> Mapping[str, Field]:
    """Return the fields that published attributes give to people, by path."""
    computations = published(sandbox)
    if not computations:
        return {}
    fields, tenant = event_fields(sandbox), sandbox.organization.tenant_namespace
    return {
        path: field
        for one in computations
        for path, field in result_fields(one, fields, tenant).items()
    }
