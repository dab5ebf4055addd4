"""What becomes of a sandbox's governance when it is reset or counted."""

from collections.abc import Mapping

from cdp.tenancy.base import SandboxModel
from cdp.tenancy.models import Sandbox
from governance.models import CorePolicyState, Label, MarketingAction, Policy


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
