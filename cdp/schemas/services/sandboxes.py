"""What becomes of a sandbox's schemas when it is reset, copied or counted."""

from collections.abc import Mapping, Sequence

from cdp.schemas.models import Component, Descriptor, ResourceVersion, Schema
from cdp.schemas.services.components import PREFIXES
from cdp.tenancy.actors import Actor
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import new_id
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope

_ACTOR = Actor.system("sandboxes")


def forget_schemas(sandbox: Sandbox) -> None:
    """Remove everything the sandbox has made; what stood on it is gone by now."""
    for model in (Descriptor, Schema, Component, ResourceVersion):
        model.objects.for_sandbox(sandbox).delete()


def count_schemas(sandbox: Sandbox) -> Mapping[str, int]:
    """Return how many rows of each kind the sandbox has made."""
    counted: dict[str, type[SandboxModel]] = {
        "components": Component,
        "schemas": Schema,
        "descriptors": Descriptor,
    }
    return {name: model.objects.for_sandbox(sandbox).count() for name, model in counted.items()}


def copy_schemas(source: Sandbox, target: Sandbox) -> None:
    """Copy what one sandbox has made into another one of the organization.

    Rows get new ids and keep their `$id`, by which others can follow them. What the
    target has already, by `$id`, stays as it is. Opens the scope of each in turn.
    """
    with scope(source, _ACTOR):
        components = list(Component.objects.for_sandbox(source).order_by("pk"))
        schemas = list(Schema.objects.for_sandbox(source).order_by("pk"))
        descriptors = list(Descriptor.objects.for_sandbox(source).order_by("pk"))
    with scope(target, _ACTOR):
        _copy_components(components, target)
        copies = _copy_schemas(schemas, target)
        for descriptor in descriptors:
            if descriptor.schema_id in copies:
                descriptor.destination_id = copies.get(descriptor.destination_id or "")
                if descriptor.destination_id:
                    descriptor.settings["destination_schema"] = descriptor.destination_id
                descriptor.schema_id = copies[descriptor.schema_id]
                descriptor.pk, descriptor.sandbox = new_id("dsc"), target
        copied = [row for row in descriptors if row.sandbox_id == target.pk]
        Descriptor.objects.bulk_create(copied, batch_size=500)


def _copy_components(rows: list[Component], target: Sandbox) -> None:
    there = set(Component.objects.for_sandbox(target).values_list("uri", flat=True))
    copied = [row for row in rows if row.uri not in there]
    for row in copied:
        row.pk, row.sandbox, row.version = new_id(PREFIXES[row.resource.kind]), target, 1
    Component.objects.bulk_create(copied, batch_size=200)
    _begin_history(copied, target)


def _copy_schemas(rows: list[Schema], target: Sandbox) -> dict[str, str]:
    """Copy schemas; return the id of each copy by the id of what it was made from."""
    there = set(Schema.objects.for_sandbox(target).values_list("uri", flat=True))
    ids = {row.pk: new_id("sch") for row in rows if row.uri not in there}
    copied = [row for row in rows if row.pk in ids]
    for row in copied:
        row.pk, row.sandbox, row.version = ids[row.pk], target, 1
    Schema.objects.bulk_create(copied, batch_size=100)
    _begin_history(copied, target)
    return ids


def _begin_history(rows: Sequence[Component | Schema], target: Sandbox) -> None:
    ResourceVersion.objects.bulk_create(
        [
            ResourceVersion(
                sandbox=target,
                resource_id=row.pk,
                version=1,
                document=row.document,
                changes=[],
                reason="Copied from another sandbox.",
                actor_name=_ACTOR.name,
            )
            for row in rows
        ],
        batch_size=200,
    )
