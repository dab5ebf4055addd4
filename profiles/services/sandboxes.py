"""What becomes of a sandbox's people and their settings when it is reset, copied or counted."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from cdp import queue
from cdp.datasets.models import Dataset
from cdp.tenancy.actors import Actor
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import new_id
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.enums import ComputedState
from profiles.models import (
    ComputedAttribute,
    ComputedValues,
    DeletionOrder,
    EventKey,
    Fragment,
    Identity,
    IdentityLink,
    IdentitySettings,
    IngestBatch,
    MergePolicy,
    Namespace,
    PrivacyJob,
    Profile,
    ProfileExport,
    RetentionSettings,
    SearchTerm,
    Suppression,
)
from profiles.sets import execute
from profiles.stitching.locks import await_graphs
from profiles.topics import GRAPHS_OUTDATED, SNAPSHOTS_OUTDATED

_ACTOR: Final = Actor.system("sandboxes")
_PATIENCE: Final = "60s"
_PEOPLE: Final[tuple[type[SandboxModel], ...]] = (
    IngestBatch, SearchTerm, ComputedValues, Fragment, IdentityLink, Identity, Profile,
    EventKey, Suppression,
)  # fmt: skip
_REST: Final[tuple[type[SandboxModel], ...]] = (
    ProfileExport, PrivacyJob, DeletionOrder, ComputedAttribute, MergePolicy, IdentitySettings,
    RetentionSettings, Namespace,
)  # fmt: skip
Row = TypeVar("Row", MergePolicy, ComputedAttribute, Namespace)


def forget_profiles(sandbox: Sandbox) -> None:
    """Remove everybody, and everything that was set about them. Raises `SandboxBusy`."""
    await_graphs(sandbox, _PATIENCE)
    for model in (*_PEOPLE, *_REST):
        # By one statement each: there may be millions, and Django would read them first.
        execute(f"DELETE FROM {model._meta.db_table} WHERE sandbox_id = %(sandbox)s", sandbox)


def count_profiles(sandbox: Sandbox) -> Mapping[str, int]:
    """Return how many rows of each kind the sandbox has."""
    counted: dict[str, type[SandboxModel]] = {
        "profiles": Profile,
        "identities": Identity,
        "fragments": Fragment,
        "namespaces": Namespace,
        "merge_policies": MergePolicy,
        "computed_attributes": ComputedAttribute,
        "profile_exports": ProfileExport,
    }
    return {name: model.objects.for_sandbox(sandbox).count() for name, model in counted.items()}


def copy_profiles(source: Sandbox, target: Sandbox) -> None:
    """Copy namespaces, linking rules, merge policies and computed attributes, but nobody.

    What the target has by that name stays as it is. Computed attributes arrive as drafts:
    there need be no events there yet to work them out of. Whoever is there already is judged
    and merged anew.
    """
    with scope(source, _ACTOR):
        namespaces = list(Namespace.objects.for_sandbox(source).order_by("pk"))
        policies = list(MergePolicy.objects.for_sandbox(source).order_by("pk"))
        attributes = list(ComputedAttribute.objects.for_sandbox(source).order_by("pk"))
        settings = IdentitySettings.objects.for_sandbox(source).first()
        retention = RetentionSettings.objects.for_sandbox(source).first()
        datasets = dict(Dataset.objects.for_sandbox(source).values_list("pk", "name"))
    with scope(target, _ACTOR):
        Namespace.objects.bulk_create(_new(target, namespaces, "code_key", "ns"))
        made = MergePolicy.objects.bulk_create(_policies(target, policies, datasets))
        if any(policy.is_default for policy in made):
            queue.publish(SNAPSHOTS_OUTDATED, {"after": 0}, sandbox=target)
        drafts = _new(target, attributes, "name", "ca")
        for row in drafts:
            row.state, row.evaluated_at = ComputedState.DRAFT, None
        ComputedAttribute.objects.bulk_create(drafts)
        if _copy_single(target, settings, "ids"):
            queue.publish(GRAPHS_OUTDATED, {"after": 0}, sandbox=target)
        _copy_single(target, retention, "ret")


def _new(target: Sandbox, rows: Iterable[Row], key: str, prefix: str) -> list[Row]:
    """Make rows of the source the target's own, but those that it has by their key."""
    listed = list(rows)
    if not listed:
        return []
    there = set(type(listed[0]).objects.for_sandbox(target).values_list(key, flat=True))
    copied = [row for row in listed if getattr(row, key) not in there]
    for row in copied:
        row.pk, row.sandbox = new_id(prefix), target
    return copied


def _policies(
    target: Sandbox, rows: Iterable[MergePolicy], names: Mapping[str, str]
) -> list[MergePolicy]:
    """Make merge policies the target's: datasets by name, one default and one on the edge."""
    datasets = dict(Dataset.objects.for_sandbox(target).values_list("name", "pk"))
    own = MergePolicy.objects.for_sandbox(target)
    has_default = own.filter(is_default=True).exists()
    has_edge = own.filter(active_on_edge=True).exists()
    copied = _new(target, rows, "name", "mp")
    for row in copied:
        row.datasets = _renamed(row.datasets, names, datasets)
        row.source_timed = _renamed(row.source_timed, names, datasets)
        row.is_default = row.is_default and not has_default
        row.active_on_edge = row.active_on_edge and not has_edge
    return copied


def _renamed(
    ids: Iterable[str], names: Mapping[str, str], datasets: Mapping[str, str]
) -> list[str]:
    found = (datasets.get(names.get(key, "")) for key in ids)
    return [key for key in found if key is not None]


def _copy_single(target: Sandbox, row: Any, prefix: str) -> bool:
    """Copy settings of which a sandbox has one row, if the target has none; tell whether it had."""
    if row is None or type(row).objects.for_sandbox(target).exists():
        return False
    row.pk, row.sandbox = new_id(prefix), target
    row.save(force_insert=True)
    return True
