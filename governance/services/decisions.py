"""Asking whether a use of data may happen, and writing down what was answered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from governance.errors import UseRefused, violation_document
from governance.evaluation import Node, PolicyRule, Use, Violation, check_use
from governance.selectors import enabled_rules
from governance.uses import standing_uses


@dataclass(frozen=True, slots=True)
class BrokenUse:
    """A live use of data together with what it violates."""

    subject: Node
    violations: tuple[Violation, ...]


def require_use(*, sandbox: Sandbox, actor: Actor, use: Use, target: models.Model) -> None:
    """Allow a use or raise `UseRefused`; the audit trail keeps either answer.

    `target` is the row that is about to be saved. A refusal is kept although the
    change around it rolls back.
    """
    rules = enabled_rules(sandbox)
    violations = check_use(use, rules)
    asked = _question(use, rules)
    if violations:
        audit.record_refusal(
            actor=actor,
            action="use.refused",
            target=target,
            after={**asked, "violations": [violation_document(each) for each in violations]},
        )
        raise UseRefused(violations)
    audit.record(actor=actor, action="use.allowed", target=target, after=asked)


def require_standing_uses(
    *, sandbox: Sandbox, actor: Actor, changed: Node, target: models.Model
) -> None:
    """Refuse a change after which a live use would violate a policy.

    Call it inside the change's transaction, after the change: a rule, a label or a
    mapping is asked as it will be. Raises `UseRefused`.
    """
    for broken in broken_uses(sandbox, changed=changed):
        audit.record_refusal(
            actor=actor,
            action="use.refused",
            target=target,
            after={
                "subject": broken.subject.id,
                "violations": [violation_document(each) for each in broken.violations],
            },
        )
        raise UseRefused(broken.violations)


def violations_of(sandbox: Sandbox, use: Use) -> tuple[Violation, ...]:
    """Return what a use violates now, for asking again when it runs."""
    return check_use(use, enabled_rules(sandbox))


def broken_uses(
    sandbox: Sandbox, *, rules: Sequence[PolicyRule] | None = None, changed: Node | None = None
) -> Iterator[BrokenUse]:
    """Yield the live uses that violate the enabled policies, or the given ones."""
    asked = enabled_rules(sandbox) if rules is None else rules
    for use in standing_uses(sandbox, changed):
        violations = check_use(use, asked)
        if violations:
            yield BrokenUse(use.subject, violations)


def _question(use: Use, rules: Sequence[PolicyRule]) -> dict[str, Any]:
    return {
        "subject": use.subject.id,
        "marketing_actions": sorted(use.marketing_actions),
        "fields": {used.path: sorted(used.labels) for used in use.fields},
        "policies": [rule.id for rule in rules],
    }
