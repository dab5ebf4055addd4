"""What can stand in the way of an activation when it runs."""

from collections.abc import Iterable
from dataclasses import dataclass

from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from destinations.enums import ConnectionState, DeliveryState
from destinations.models import Activation
from destinations.uses import uses_of
from governance.errors import violation_document
from governance.evaluation import Violation, check_use
from governance.selectors import enabled_rules


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why deliveries are not sent, and what they become."""

    state: DeliveryState
    reason: str


def obstacles(
    sandbox: Sandbox, actor: Actor, activations: Iterable[Activation]
) -> dict[str, Obstacle]:
    """Return what stands in the way of each activation; those that may run are left out.

    Asks governance again, because labels, rules and policies change after an activation
    was saved. The first refusal and the end of it go into the audit trail.
    """
    found = {}
    refused = _refused(sandbox, actor, list(activations))
    for activation in activations:
        connection = activation.connection
        if not activation.enabled:
            reason = "The activation was disabled before this was sent."
            found[activation.pk] = Obstacle(DeliveryState.FAILED, reason)
        elif connection.state != ConnectionState.ACTIVE:
            reason = f"The connection is stopped. {connection.stopped_because}".strip()
            found[activation.pk] = Obstacle(DeliveryState.FAILED, reason)
        elif reason := refused.get(activation.pk, ""):
            found[activation.pk] = Obstacle(DeliveryState.REFUSED, reason)
    return found


def _refused(sandbox: Sandbox, actor: Actor, activations: list[Activation]) -> dict[str, str]:
    rules = enabled_rules(sandbox)
    actions = frozenset().union(*(rule.marketing_actions for rule in rules))
    # Most activations do nothing that a policy is about: then nobody needs their lineage.
    asked = [each for each in activations if actions & set(each.connection.marketing_actions)]
    refused = {}
    uses = {use.subject.id: use for use in uses_of(sandbox, asked)}
    for activation in activations:
        use = uses.get(activation.pk)
        violations = check_use(use, rules) if use else ()
        reason = " ".join(violation.detail for violation in violations)
        if reason:
            refused[activation.pk] = reason
        if reason != activation.refused_because:
            _note(activation, actor, reason, violations)
    return refused


def _note(
    activation: Activation, actor: Actor, reason: str, violations: Iterable[Violation]
) -> None:
    rows = Activation.objects.for_sandbox(activation.sandbox_id).filter(pk=activation.pk)
    rows.update(refused_because=reason)
    audit.record(
        actor=actor,
        action="use.refused" if reason else "use.allowed",
        target=activation,
        before={"refused_because": activation.refused_because},
        after={"violations": [violation_document(each) for each in violations]},
    )
