"""Who rests on a schema: every row of any app that points at it.

Apps above need not tell us. Whatever has a foreign key to `Schema` is found through
the models themselves, so that none can be forgotten.
"""

from collections.abc import Collection, Iterator
from typing import TypedDict

from django.db import models

from cdp.schemas.models import Descriptor, Schema
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.models import Sandbox

SHOWN = 100


class Dependent(TypedDict):
    """Something that would break."""

    type: str
    id: str
    name: str


def dependents_of(sandbox: Sandbox, schema: Schema) -> list[Dependent]:
    """List what rests on a schema, up to a hundred of each kind."""
    found = [_shown(row) for model, name in _users() for row in _rows(sandbox, model, name, schema)]
    referring = Descriptor.objects.for_sandbox(sandbox).filter(destination=schema)
    found += [_shown(row.schema) for row in referring.select_related("schema")[:SHOWN]]
    return found


def used_among(sandbox: Sandbox, schemas: Collection[Schema]) -> set[str]:
    """Tell which of the schemas may only grow: records stand on them or Profile reads them."""
    used = {schema.pk for schema in schemas if schema.profile_enabled}
    for model, name in _users():
        rows = model.objects.for_sandbox(sandbox).filter(**{f"{name}__in": schemas})
        used |= set(rows.values_list(f"{name}_id", flat=True).distinct())
    return used


def _users() -> Iterator[tuple[type[SandboxModel], str]]:
    """Find the models of other apps that point at schemas, and by which field."""
    for relation in Schema._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel):
            continue
        model = relation.related_model
        if isinstance(model, type) and issubclass(model, SandboxModel) and not _is_ours(model):
            yield model, relation.field.name


def _is_ours(model: type[SandboxModel]) -> bool:
    return model._meta.app_label == Schema._meta.app_label


def _rows(
    sandbox: Sandbox, model: type[SandboxModel], name: str, schema: Schema
) -> models.QuerySet[SandboxModel]:
    return model.objects.for_sandbox(sandbox).filter(**{name: schema}).order_by("pk")[:SHOWN]


def _shown(row: models.Model) -> Dependent:
    return {"type": row._meta.model_name or "", "id": str(row.pk), "name": str(row)}
