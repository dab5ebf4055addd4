"""Making, changing and deleting merge policies."""

from typing import Any, Final

from django.db import IntegrityError, transaction

from cdp import queue
from cdp.datasets.selectors import list_datasets
from cdp.errors import FieldError, Invalid
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox
from governance.evaluation import Node
from governance.services.decisions import require_standing_uses
from profiles.enums import AttributeMerge, GraphUse
from profiles.errors import PolicyInUse, TooManyPolicies
from profiles.models import MergePolicy
from profiles.registries import merge_policy_dependents
from profiles.selectors.rules import list_merge_policies
from profiles.topics import SNAPSHOTS_OUTDATED

MOST: Final = 5


def create_merge_policy(*, actor: Actor, sandbox: Sandbox, **values: Any) -> MergePolicy:
    """Make a merge policy; as the default it takes the place of the former one.

    Raises `TooManyPolicies`, `NameTaken` or `Invalid`.
    """
    if list_merge_policies(sandbox).count() >= MOST:
        raise TooManyPolicies(f"A sandbox has at most {MOST} merge policies. Delete one first.")
    policy = MergePolicy(sandbox=sandbox, **values)
    _save(policy, force_insert=True)
    audit.record(
        actor=actor, action="merge_policy.created", target=policy, after=values, sandbox=sandbox
    )
    if policy.is_default:
        _retake(sandbox)
    return policy


def change_merge_policy(*, actor: Actor, policy: MergePolicy, **changes: Any) -> MergePolicy:
    """Change a merge policy. The default stays so until another one takes its place.

    Raises `PolicyInUse`, `NameTaken`, `Invalid`, or `UseRefused` when data would be
    used against a governance policy from now on.
    """
    if policy.is_default and changes.get("is_default") is False:
        raise PolicyInUse("Make another merge policy the default instead.")
    before = {field: getattr(policy, field) for field in changes}
    for field, value in changes.items():
        setattr(policy, field, value)
    policy.version += 1
    _save(policy)
    require_standing_uses(
        sandbox=policy.sandbox,
        actor=actor,
        changed=Node("merge_policy", policy.pk, policy.name),
        target=policy,
    )
    audit.record(
        actor=actor, action="merge_policy.changed", target=policy, before=before, after=changes
    )
    if policy.is_default:
        _retake(policy.sandbox)
    return policy


def delete_merge_policy(*, actor: Actor, policy: MergePolicy) -> None:
    """Delete a merge policy. Raises `PolicyInUse` for the default, and with what depends on it."""
    if policy.is_default:
        raise PolicyInUse("This is the default. Make another merge policy the default first.")
    dependents = [
        dependent
        for find in merge_policy_dependents.entries().values()
        for dependent in find(policy.sandbox, policy.pk)
    ]
    if dependents:
        raise PolicyInUse("Something uses this merge policy.", dependents=dependents)
    audit.record(actor=actor, action="merge_policy.deleted", target=policy)
    policy.delete()


def _save(policy: MergePolicy, *, force_insert: bool = False) -> None:
    clean(policy)
    _check(policy)
    others = list_merge_policies(policy.sandbox).exclude(pk=policy.pk)
    try:
        with transaction.atomic():
            if policy.is_default:
                others.filter(is_default=True).update(is_default=False)
            if policy.active_on_edge:
                others.filter(active_on_edge=True).update(active_on_edge=False)
            policy.save(force_insert=force_insert)
    except IntegrityError as error:
        raise NameTaken(f"There is a merge policy '{policy.name}' already.") from error


def _check(policy: MergePolicy) -> None:
    """Refuse what would make no sense. Raises `Invalid`."""
    errors: list[FieldError] = []
    by_dataset = policy.attributes == AttributeMerge.DATASET
    if by_dataset and not policy.datasets:
        detail = "Name the datasets that count, the strongest first."
        errors.append(FieldError(path="datasets", code="required", detail=detail))
    if policy.datasets and not by_dataset:
        detail = "Only a merge by dataset precedence names datasets."
        errors.append(FieldError(path="datasets", code="unexpected", detail=detail))
    if policy.is_default and policy.graph == GraphUse.NONE:
        detail = "The default policy makes one profile of a graph; use another one without it."
        errors.append(FieldError(path="graph", code="default_needs_graph", detail=detail))
    named = {*policy.datasets, *policy.source_timed}
    found = set(list_datasets(policy.sandbox).filter(pk__in=named).values_list("pk", flat=True))
    for path, datasets in (("datasets", policy.datasets), ("source_timed", policy.source_timed)):
        for place, dataset in enumerate(datasets):
            if dataset not in found or dataset in datasets[:place]:
                detail = f"There is no dataset '{dataset}', or it is named twice."
                errors.append(FieldError(path=f"{path}.{place}", code="unknown", detail=detail))
    if errors:
        raise Invalid("The merge policy cannot be; see `errors`.", errors=errors)


def _retake(sandbox: Sandbox) -> None:
    queue.publish(SNAPSHOTS_OUTDATED, {"after": 0}, sandbox=sandbox)
