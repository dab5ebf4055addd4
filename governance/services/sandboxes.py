"""What becomes of a sandbox's governance when it is reset, copied or counted."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cdp.tenancy.actors import Actor
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import new_id
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from governance.models import CorePolicyState, Label, MarketingAction, Policy, PolicyStatus

_ACTOR: Final = Actor.system("sandboxes")


def forget_governance(sandbox: Sandbox) -> None:
    """Remove what the sandbox has added, and switch its core policies off again."""
    for model in (Policy, CorePolicyState, MarketingAction, Label):
        model.objects.for_sandbox(sandbox).delete()


def count_governance(sandbox: Sandbox) -> Mapping[str, int]:
    """Return how many rows of each kind the sandbox has added."""
    counted: dict[str, type[SandboxModel]] = {
        "labels": Label,
        "marketing_actions": MarketingAction,
        "policies": Policy,
    }
    return {name: model.objects.for_sandbox(sandbox).count() for name, model in counted.items()}


def copy_governance(source: Sandbox, target: Sandbox) -> None:
    """Copy labels, marketing actions and policies; what the target has by that name stays.

    Own policies arrive as drafts. Core ones that the target has never switched are
    switched as in the source.
    """
    with scope(source, _ACTOR):
        labels = list(Label.objects.for_sandbox(source).order_by("pk"))
        actions = list(MarketingAction.objects.for_sandbox(source).order_by("pk"))
        policies = list(Policy.objects.for_sandbox(source).order_by("pk"))
        states = list(CorePolicyState.objects.for_sandbox(source).order_by("pk"))
    for policy in policies:
        policy.status = PolicyStatus.DRAFT
    with scope(target, _ACTOR):
        _copy(target, labels, "name", "lbl")
        _copy(target, actions, "name", "mka")
        _copy(target, policies, "name", "pol")
        _copy(target, states, "policy_id", None)


def _copy(target: Sandbox, rows: Sequence[Any], key: str, prefix: str | None) -> None:
    if not rows:
        return
    model = type(rows[0])
    there = set(model.objects.for_sandbox(target).values_list(key, flat=True))
    copied = [row for row in rows if getattr(row, key) not in there]
    for row in copied:
        row.pk, row.sandbox = new_id(prefix) if prefix else None, target
    model.objects.bulk_create(copied)
