"""What becomes of a sandbox's datasets when it is reset, copied or counted."""

from collections.abc import Mapping
from typing import Final

from cdp.datasets.files.storage import Folder
from cdp.datasets.models import (
    Batch,
    BatchFile,
    Connection,
    Dataset,
    Flow,
    FlowRun,
    ForwardingRule,
    Inlet,
    InletDataset,
    LandedFile,
    MappingSet,
    MappingVersion,
    Receipt,
    RejectedRecord,
)
from cdp.schemas.models import Schema
from cdp.tenancy.actors import Actor
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import new_id
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope

_ACTOR: Final = Actor.system("sandboxes")
# What stands on others goes before them.
_MODELS: Final[tuple[type[SandboxModel], ...]] = (
    LandedFile, FlowRun, Flow, MappingVersion, MappingSet, Connection, ForwardingRule,
    RejectedRecord, Receipt, BatchFile, Batch, InletDataset, Inlet, Dataset,
)  # fmt: skip


def forget_datasets(sandbox: Sandbox) -> None:
    """Remove datasets, inlets, sources and every file that the sandbox has stored."""
    for model in _MODELS:
        model.objects.for_sandbox(sandbox).delete()
    Folder(sandbox).remove()


def count_datasets(sandbox: Sandbox) -> Mapping[str, int]:
    """Return how many rows of each kind the sandbox has."""
    counted: dict[str, type[SandboxModel]] = {
        "datasets": Dataset,
        "inlets": Inlet,
        "batches": Batch,
        "connections": Connection,
        "mapping_sets": MappingSet,
        "flows": Flow,
        "receipts": Receipt,
        "rejected_records": RejectedRecord,
    }
    return {name: model.objects.for_sandbox(sandbox).count() for name, model in counted.items()}


def copy_datasets(source: Sandbox, target: Sandbox) -> None:
    """Copy datasets without their rows; what the target has by that name stays as it is.

    Their schemas have been copied before, and are found by `$id`; one that was there and
    feeds no profiles has datasets that feed none. Inlets and sources are addresses and
    secrets of their own, and are not copied.
    """
    with scope(source, _ACTOR):
        rows = list(
            Dataset.objects.for_sandbox(source).filter(system=False).select_related("schema")
        )
    with scope(target, _ACTOR):
        found = Schema.objects.for_sandbox(target).only("uri", "profile_enabled_at")
        schemas = {schema.uri: schema for schema in found}
        there = set(Dataset.objects.for_sandbox(target).values_list("name", flat=True))
        copied = [row for row in rows if row.name not in there and row.schema.uri in schemas]
        for row in copied:
            row.schema = schemas[row.schema.uri]
            if not row.schema.profile_enabled:
                row.profile_enabled_at = None
            row.pk, row.sandbox = new_id("ds"), target
        Dataset.objects.bulk_create(copied, batch_size=200)
