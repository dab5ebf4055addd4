"""Reads of datasets, inlets, receipts and rejected records."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db.models import OuterRef, QuerySet, Subquery

from cdp.datasets.enums import Sink
from cdp.datasets.errors import DatasetUnknown
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
    MappingSet,
    MappingVersion,
    Receipt,
    RejectedRecord,
)
from cdp.datasets.records import DatasetFacts
from cdp.datasets.routes import Forwarding, InletFacts, Route, Routes
from cdp.datasets.topics import RECORDS_FORWARDED, RECORDS_STREAMED
from cdp.errors import FieldError, Invalid, NotFound
from cdp.schemas.selectors import compiled_schemas
from cdp.tenancy.models import Sandbox

_TOPICS = {Sink.WEBHOOK: RECORDS_FORWARDED, Sink.KAFKA: RECORDS_STREAMED}


def list_datasets(sandbox: Sandbox) -> QuerySet[Dataset]:
    """Return the sandbox's datasets with their schemas."""
    return (
        Dataset.objects.for_sandbox(sandbox)
        .select_related("schema")
        .defer("schema__document", "schema__resolved")
    )


def get_dataset(sandbox: Sandbox, dataset_id: str) -> Dataset:
    """Return one dataset. Raises `DatasetUnknown`."""
    found = list_datasets(sandbox).filter(pk=dataset_id).first()
    if found is None:
        raise DatasetUnknown(f"There is no dataset '{dataset_id}'.")
    return found


def get_datasets(sandbox: Sandbox, dataset_ids: Sequence[str]) -> list[Dataset]:
    """Return datasets in the order given. Raises `Invalid` that names the unknown ones."""
    found = {dataset.pk: dataset for dataset in list_datasets(sandbox).filter(pk__in=dataset_ids)}
    refuse_unknown("dataset_ids", dataset_ids, found)
    return [found[dataset_id] for dataset_id in dataset_ids]


def list_inlets(sandbox: Sandbox) -> QuerySet[Inlet]:
    """Return the sandbox's inlets with the datasets they write to."""
    return Inlet.objects.for_sandbox(sandbox).prefetch_related("routes")


def inlet_exists(sandbox: Sandbox, inlet_id: str) -> bool:
    """Tell whether the sandbox has this inlet."""
    return list_inlets(sandbox).filter(pk=inlet_id).exists()


def list_receipts(sandbox: Sandbox) -> QuerySet[Receipt]:
    """Return receipts of settled requests."""
    return Receipt.objects.for_sandbox(sandbox)


def list_rejected_records(sandbox: Sandbox) -> QuerySet[RejectedRecord]:
    """Return records that were put aside."""
    return RejectedRecord.objects.for_sandbox(sandbox)


def get_rejected_records(sandbox: Sandbox, ids: Sequence[str]) -> list[RejectedRecord]:
    """Return records that were put aside, locked. Raises `Invalid` for unknown ids."""
    rows = list_rejected_records(sandbox).filter(pk__in=ids).select_for_update(of=("self",))
    found = {row.pk: row for row in rows.select_related("dataset").order_by("pk")}
    refuse_unknown("ids", ids, found)
    return list(found.values())


def refuse_unknown(path: str, given: Sequence[str], known: Collection[str]) -> None:
    """Raise `Invalid` that names every id which is not known."""
    errors = [
        FieldError(path=f"{path}.{index}", code="unknown", detail=f"There is no '{key}' here.")
        for index, key in enumerate(given)
        if key not in known
    ]
    if errors:
        raise Invalid("Some ids are unknown; see `errors`.", errors=errors)


def list_batches(sandbox: Sandbox) -> QuerySet[Batch]:
    """Return the sandbox's batches with their datasets."""
    return Batch.objects.for_sandbox(sandbox).select_related("dataset", "sandbox")


def get_batch(sandbox: Sandbox, batch_id: str) -> Batch:
    """Return one batch. Raises `NotFound`."""
    found = list_batches(sandbox).filter(pk=batch_id).first()
    if found is None:
        raise NotFound(f"There is no batch '{batch_id}' here.")
    return found


def last_batch(dataset: Dataset) -> Batch | None:
    """Return the batch that was made last for a dataset."""
    batches = Batch.objects.for_sandbox(dataset.sandbox_id).filter(dataset=dataset)
    return batches.order_by("-pk").first()


def list_batch_files(batch: Batch) -> QuerySet[BatchFile]:
    """Return the files that a batch has been given."""
    return BatchFile.objects.for_sandbox(batch.sandbox_id).filter(batch=batch)


def get_batch_file(batch: Batch, name: str) -> BatchFile:
    """Return a file by its name. Raises `NotFound`."""
    found = list_batch_files(batch).filter(name=name).first()
    if found is None:
        raise NotFound(f"The batch has no file '{name}'.")
    return found


def list_connections(sandbox: Sandbox) -> QuerySet[Connection]:
    """Return the sandbox's connections to sources."""
    return Connection.objects.for_sandbox(sandbox).select_related("sandbox__organization")


def get_connection(sandbox: Sandbox, connection_id: str) -> Connection:
    """Return one connection. Raises `NotFound`."""
    found = list_connections(sandbox).filter(pk=connection_id).first()
    if found is None:
        raise NotFound(f"There is no connection '{connection_id}' here.")
    return found


def list_mapping_sets(sandbox: Sandbox) -> QuerySet[MappingSet]:
    """Return the sandbox's mapping sets, each with the `rules` of its newest version."""
    newest = MappingVersion.objects.for_sandbox(sandbox).filter(
        mapping_set=OuterRef("pk"), number=OuterRef("version")
    )
    return (
        MappingSet.objects.for_sandbox(sandbox)
        .select_related("sandbox")
        .annotate(rules=Subquery(newest.values("rules")[:1]))
    )


def get_mapping_set(sandbox: Sandbox, mapping_set_id: str) -> MappingSet:
    """Return one mapping set. Raises `NotFound`."""
    found = list_mapping_sets(sandbox).filter(pk=mapping_set_id).first()
    if found is None:
        raise NotFound(f"There is no mapping set '{mapping_set_id}' here.")
    return found


def list_forwarding_rules(sandbox: Sandbox) -> QuerySet[ForwardingRule]:
    """Return the sandbox's forwarding rules."""
    return ForwardingRule.objects.for_sandbox(sandbox).select_related("sandbox__organization")


def list_flows(sandbox: Sandbox) -> QuerySet[Flow]:
    """Return the sandbox's flows with what they read and where they write."""
    return Flow.objects.for_sandbox(sandbox).select_related(
        "sandbox", "connection", "dataset", "mapping_set"
    )


def list_flow_runs(sandbox: Sandbox) -> QuerySet[FlowRun]:
    """Return runs of flows with their batches."""
    return FlowRun.objects.for_sandbox(sandbox).select_related("batch")


def dataset_facts(sandbox: Sandbox, dataset_ids: Collection[str]) -> dict[str, DatasetFacts]:
    """Return what ingestion must know of these datasets; those that are gone are left out."""
    rows = list(Dataset.objects.for_sandbox(sandbox).filter(pk__in=dataset_ids))
    schemas = compiled_schemas(sandbox, {row.schema_id for row in rows})
    return {
        row.pk: DatasetFacts(
            id=row.pk,
            behavior=row.behavior,
            schema_id=row.schema_id,
            schema=schemas[row.schema_id],
            profile_enabled_at=row.profile_enabled_at,
            identity_enabled=row.identity_enabled,
            upsert=row.upsert,
            dedup_days=row.dedup_days,
        )
        for row in rows
    }


def inlet_facts(sandbox: Sandbox, inlet_ids: Collection[str]) -> dict[str, InletFacts]:
    """Return what doors and the worker must know of these inlets, in three queries."""
    routes: dict[str, list[Route]] = defaultdict(list)
    for link in (
        InletDataset.objects.for_sandbox(sandbox)
        .filter(inlet__in=inlet_ids)
        .select_related("dataset__schema")
        .only("inlet_id", "dataset__behavior", "dataset__schema__uri")
        .order_by("position")
    ):
        routes[link.inlet_id].append(_route(link.dataset))
    forwarding = list(
        ForwardingRule.objects.for_sandbox(sandbox)
        .filter(enabled=True)
        .order_by("pk")
        .values_list("pk", "kind", "inlet_ids")
    )
    return {
        inlet.pk: InletFacts(
            door=inlet.door,
            enabled=inlet.enabled,
            requires_key=inlet.requires_key,
            settings=inlet.settings,
            routes=Routes(tuple(routes[inlet.pk])),
            forwarded_to=tuple(
                Forwarding(rule, _TOPICS[Sink(kind)])
                for rule, kind, wanted in forwarding
                if not wanted or inlet.pk in wanted
            ),
        )
        for inlet in Inlet.objects.for_sandbox(sandbox).filter(pk__in=inlet_ids)
    }


def _route(dataset: Dataset) -> Route:
    schema = dataset.schema
    return Route(dataset.pk, dataset.behavior, frozenset({schema.pk, schema.uri, schema.alt_id}))
