"""Making, changing and deleting datasets."""

from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from cdp import queue
from cdp.datasets.enums import OVER
from cdp.datasets.errors import DatasetInUse, DatasetNotEmpty, SchemaNotForProfile
from cdp.datasets.models import Batch, Dataset, Flow, InletDataset
from cdp.datasets.registries import dataset_keepers
from cdp.datasets.services.dataset_labels import ask_standing_uses, check_labels
from cdp.datasets.stored import has_events
from cdp.datasets.topics import DATASETS_DELETED
from cdp.errors import Conflict
from cdp.schemas.models import Schema
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox

# What a change of these says of the data may make a live use of it forbidden.
_ASKED: Final = frozenset({"labels", "field_labels", "profile_enabled"})
_BATCHES_AT_ONCE: Final = 1_000


def create_dataset(
    *,
    actor: Actor,
    sandbox: Sandbox,
    schema: Schema,
    name: str,
    profile_enabled: bool = False,
    **values: Any,
) -> Dataset:
    """Make a dataset for rows of a schema; from now on the schema may only grow.

    Raises `NameTaken`, `SchemaNotForProfile`, `Invalid` or `UseRefused`.
    """
    dataset = Dataset(sandbox=sandbox, schema=schema, behavior=schema.behavior, name=name, **values)
    if profile_enabled:
        _enable_for_profile(dataset)
    clean(dataset)
    check_labels(dataset)
    _save(dataset, force_insert=True)
    if profile_enabled:
        ask_standing_uses(actor, dataset)
    audit.record(
        actor=actor,
        action="dataset.created",
        target=dataset,
        after={"name": name, "schema": schema.pk, "profile_enabled": profile_enabled, **values},
    )
    return dataset


def change_dataset(*, actor: Actor, dataset: Dataset, **changes: Any) -> Dataset:
    """Change a dataset; its schema and whether it upserts never change.

    Enabling for Profile counts from now: what came in before stays out of profiles
    until it is sent or replayed again. Raises as `create_dataset`.
    """
    fixed = {"schema", "upsert", "behavior"} & changes.keys()
    if fixed:
        raise Conflict(f"The {fixed.pop()} of a dataset cannot change. Make another dataset.")
    _refuse_if_system(dataset)
    asked = _ASKED & changes.keys()
    before = {field: getattr(dataset, field) for field in changes}
    enabled = changes.pop("profile_enabled", dataset.profile_enabled)
    for field, value in changes.items():
        setattr(dataset, field, value)
    if enabled and not dataset.profile_enabled:
        _enable_for_profile(dataset)
    elif not enabled:
        dataset.profile_enabled_at = None
    clean(dataset)
    if asked:
        check_labels(dataset)
    _save(dataset)
    if asked and dataset.profile_enabled:
        ask_standing_uses(actor, dataset)
    audit.record(
        actor=actor,
        action="dataset.changed",
        target=dataset,
        before=before,
        after={field: getattr(dataset, field) for field in before},
    )
    return dataset


def delete_dataset(*, actor: Actor, dataset: Dataset) -> None:
    """Delete a dataset that nothing writes to and of which nothing is kept with people.

    Its own rows and files go with it. Raises `DatasetInUse` or `DatasetNotEmpty`.
    """
    _refuse_if_system(dataset)
    dependents = [
        {"type": "inlet", "id": link.inlet_id, "name": link.inlet.name}
        for link in InletDataset.objects.for_sandbox(dataset.sandbox_id)
        .filter(dataset=dataset)
        .select_related("inlet")
    ]
    flows = Flow.objects.for_sandbox(dataset.sandbox_id).filter(dataset=dataset)
    dependents += [{"type": "flow", "id": flow.pk, "name": flow.name} for flow in flows[:100]]
    if dataset.profile_enabled:
        raise DatasetInUse(
            "The dataset is enabled for Profile. Disable that first; what is in profiles is "
            "removed by a deletion request."
        )
    if dependents:
        raise DatasetInUse(
            "Something still writes to the dataset; see `dependents`.", dependents=dependents
        )
    _refuse_unless_empty(dataset)
    batches = list(_batches_of(dataset).values_list("pk", flat=True))
    for start in range(0, max(1, len(batches)), _BATCHES_AT_ONCE):
        some = batches[start : start + _BATCHES_AT_ONCE]
        queue.publish(
            DATASETS_DELETED, {"dataset": dataset.pk, "batches": some}, sandbox=dataset.sandbox
        )
    audit.record(actor=actor, action="dataset.deleted", target=dataset)
    dataset.delete()


def _refuse_unless_empty(dataset: Dataset) -> None:
    """Refuse while something is kept that only the dataset's row labels, limits and names."""
    sandbox = dataset.sandbox
    if _batches_of(dataset).exclude(state__in=OVER).exists():
        raise DatasetNotEmpty("A batch of the dataset is not over yet. Wait for it, or give it up.")
    if has_events(sandbox, dataset.pk) or any(
        keeps(sandbox, dataset.pk) for keeps in dataset_keepers.entries().values()
    ):
        raise DatasetNotEmpty(
            "Events and profiles hold what the dataset has said. Have that removed first: "
            "POST its `dataset_id` to /api/v1/profile-deletes/."
        )


def _batches_of(dataset: Dataset) -> QuerySet[Batch]:
    return Batch.objects.for_sandbox(dataset.sandbox_id).filter(dataset=dataset)


def _enable_for_profile(dataset: Dataset) -> None:
    if not dataset.schema.profile_enabled:
        raise SchemaNotForProfile(
            f"Enable the schema '{dataset.schema}' for Profile first; it needs a primary identity."
        )
    dataset.profile_enabled_at = timezone.now()


def _refuse_if_system(dataset: Dataset) -> None:
    if dataset.system:
        raise Conflict("This dataset is written by the platform itself and cannot be changed.")


def _save(dataset: Dataset, *, force_insert: bool = False) -> None:
    try:
        with transaction.atomic():
            dataset.save(force_insert=force_insert)
    except IntegrityError as error:
        raise NameTaken(f"There is a dataset '{dataset.name}' already.") from error
