"""Reads of governance: the core catalogue together with what the sandbox has added."""

from collections.abc import Iterable
from difflib import get_close_matches

from cdp.errors import FieldError, Invalid, NotFound
from cdp.tenancy.models import Sandbox
from governance import core
from governance.core import CoreLabel, CoreMarketingAction
from governance.evaluation import PolicyRule
from governance.models import CorePolicyState, Label, MarketingAction, Policy, PolicyStatus


def list_labels(sandbox: Sandbox) -> list[CoreLabel | Label]:
    """Return the core labels, then the sandbox's own by name."""
    return [*core.LABELS.values(), *Label.objects.for_sandbox(sandbox).order_by("name")]


def list_marketing_actions(sandbox: Sandbox) -> list[CoreMarketingAction | MarketingAction]:
    """Return the core marketing actions, then the sandbox's own by name."""
    own = MarketingAction.objects.for_sandbox(sandbox).order_by("name")
    return [*core.MARKETING_ACTIONS.values(), *own]


def list_policies(sandbox: Sandbox) -> list[CorePolicyState | Policy]:
    """Return the core policies, then the sandbox's own, oldest first."""
    states = {state.policy_id: state for state in CorePolicyState.objects.for_sandbox(sandbox)}
    given = [
        states.get(policy_id) or CorePolicyState(sandbox=sandbox, policy_id=policy_id)
        for policy_id in core.POLICIES
    ]
    return [*given, *Policy.objects.for_sandbox(sandbox).order_by("pk")]


def get_label(sandbox: Sandbox, name: str) -> CoreLabel | Label:
    """Return the label. Raises `NotFound`."""
    label = core.LABELS.get(name) or Label.objects.for_sandbox(sandbox).filter(name=name).first()
    if label is None:
        raise NotFound(f"There is no label '{name}' here.")
    return label


def get_marketing_action(sandbox: Sandbox, name: str) -> CoreMarketingAction | MarketingAction:
    """Return the marketing action. Raises `NotFound`."""
    own = MarketingAction.objects.for_sandbox(sandbox).filter(name=name)
    action = core.MARKETING_ACTIONS.get(name) or own.first()
    if action is None:
        raise NotFound(f"There is no marketing action '{name}' here.")
    return action


def get_policy(sandbox: Sandbox, policy_id: str) -> CorePolicyState | Policy:
    """Return the policy; a core one that was never switched is not stored. Raises `NotFound`."""
    if policy_id in core.POLICIES:
        stored = CorePolicyState.objects.for_sandbox(sandbox).filter(policy_id=policy_id).first()
        return stored or CorePolicyState(sandbox=sandbox, policy_id=policy_id)
    policy = Policy.objects.for_sandbox(sandbox).filter(pk=policy_id).first()
    if policy is None:
        raise NotFound(f"There is no policy '{policy_id}' here.")
    return policy


def enabled_rules(sandbox: Sandbox) -> list[PolicyRule]:
    """Return the policies that are asked, in two queries however many there are."""
    enabled = {"status": PolicyStatus.ENABLED}
    given = CorePolicyState.objects.for_sandbox(sandbox).filter(**enabled).order_by("policy_id")
    own = Policy.objects.for_sandbox(sandbox).filter(**enabled).order_by("pk")
    # A core policy that a later release no longer has is asked no more.
    return [
        *(state.rule for state in given if state.policy_id in core.POLICIES),
        *(policy.rule for policy in own),
    ]


def require_labels(sandbox: Sandbox, names: Iterable[str], path: str = "labels") -> None:
    """Raise `Invalid` for a name that is no label here."""
    _require([label.name for label in list_labels(sandbox)], names, path, "label")


def require_marketing_actions(
    sandbox: Sandbox, names: Iterable[str], path: str = "marketing_actions"
) -> None:
    """Raise `Invalid` for a name that is no marketing action here."""
    known = [action.name for action in list_marketing_actions(sandbox)]
    _require(known, names, path, "marketing action")


def _require(known: list[str], names: Iterable[str], path: str, noun: str) -> None:
    errors = [
        FieldError(path=path, code="unknown", detail=_unknown(name, known, noun))
        for name in names
        if name not in known
    ]
    if errors:
        raise Invalid(" ".join(error["detail"] for error in errors), errors=errors)


def _unknown(name: str, known: list[str], noun: str) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"'{name}' is not a {noun} of this sandbox.{hint}"
