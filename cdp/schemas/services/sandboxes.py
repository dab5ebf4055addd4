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
        counterparts, new = _copy_schemas(schemas, target)
        copied = [row for row in descriptors if row.schema_id in new]
        for row in copied:
            _readdress(row, counterparts, target)
        Descriptor.objects.bulk_create(copied, batch_size=500)


def _readdress(row: Descriptor, counterparts: Mapping[str, str], target: Sandbox) -> None:
    """Make a descriptor speak of the schemas of the target."""
    row.pk, row.sandbox, row.schema_id = new_id("dsc"), target, counterparts[row.schema_id]
    if row.destination_id is not None:
        row.destination_id = counterparts[row.destination_id]
        row.settings["destination_schema"] = row.destination_id


def _copy_components(rows: list[Component], target: Sandbox) -> None:
    there = set(Component.objects.for_sandbox(target).values_list("uri", flat=True))
    copied = [row for row in rows if row.uri not in there]
    for row in copied:
        row.pk, row.sandbox, row.version = new_id(PREFIXES[row.resource.kind]), target, 1
    Component.objects.bulk_create(copied, batch_size=200)
    _begin_history(copied, target)


def _copy_schemas(rows: list[Schema], target: Sandbox) -> tuple[dict[str, str], set[str]]:
    """Copy schemas; return each one's counterpart in the target, and which are new there."""
    there = dict(Schema.objects.for_sandbox(target).values_list("uri", "pk"))
    counterparts = {row.pk: there.get(row.uri) or new_id("sch") for row in rows}
    copied = [row for row in rows if row.uri not in there]
    new = {row.pk for row in copied}
    for row in copied:
        row.pk, row.sandbox, row.version = counterparts[row.pk], target, 1
    Schema.objects.bulk_create(copied, batch_size=100)
    _begin_history(copied, target)
    return counterparts, new


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
