"""Making, changing and deleting data usage policies."""

from typing import Any

from django.db import IntegrityError, transaction

from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox
from governance.errors import CoreIsFixed
from governance.expression import labels_in, parse
from governance.models import CorePolicyState, Policy
from governance.selectors import require_labels, require_marketing_actions


def create_policy(*, sandbox: Sandbox, actor: Actor, **values: Any) -> Policy:
    """Make a policy. Raises `NameTaken`, or `Invalid` for a label or action nobody knows."""
    policy = Policy(sandbox=sandbox, **values)
    _save(policy, force_insert=True)
    audit.record(actor=actor, action="policy.created", target=policy, after=values)
    return policy


def change_policy(
    *, actor: Actor, policy: Policy | CorePolicyState, **changes: Any
) -> Policy | CorePolicyState:
    """Change a policy; of a core one only the status.

    Enabling is never refused, however many live uses it forbids: what protects people
    must work at once. Those uses are refused when they next run. Raises `CoreIsFixed`,
    or as `create_policy`.
    """
    fixed = sorted(changes.keys() - {"status"}) if policy.is_core else []
    if fixed:
        raise CoreIsFixed(
            f"'{policy.name}' is a core policy: its {', '.join(fixed)} cannot change. "
            "Switch it with `status`, or make a policy of your own."
        )
    before = {field: getattr(policy, field) for field in changes}
    for field, value in changes.items():
        setattr(policy, field, value)
    if isinstance(policy, Policy):
        _save(policy)
    else:
        clean(policy)
        policy.save()
    audit.record(actor=actor, action="policy.changed", target=policy, before=before, after=changes)
    return policy


def delete_policy(*, actor: Actor, policy: Policy | CorePolicyState) -> None:
    """Delete a policy. Raises `CoreIsFixed` for a core one."""
    if policy.is_core:
        raise CoreIsFixed(f"'{policy.name}' is a core policy; disable it instead.")
    audit.record(actor=actor, action="policy.deleted", target=policy)
    policy.delete()


def stored_core_policy(policy: CorePolicyState) -> CorePolicyState:
    """Return the row of a core policy, made on the first change of its status."""
    CorePolicyState.objects.bulk_create([policy], ignore_conflicts=True)
    stored = CorePolicyState.objects.for_sandbox(policy.sandbox)
    return stored.get(policy_id=policy.policy_id)


def _save(policy: Policy, *, force_insert: bool = False) -> None:
    clean(policy)
    require_labels(policy.sandbox, sorted(labels_in(parse(policy.deny))), path="deny")
    require_marketing_actions(policy.sandbox, policy.marketing_actions)
    try:
        with transaction.atomic():
            policy.save(force_insert=force_insert)
    except IntegrityError as error:
        raise NameTaken(f"There is a policy '{policy.name}' already.") from error
