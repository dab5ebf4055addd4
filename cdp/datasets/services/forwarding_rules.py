"""Making, changing and deleting forwarding rules."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from cdp.datasets.forwarding import SIGNED_WITH
from cdp.datasets.models import ForwardingRule
from cdp.datasets.selectors import list_inlets, refuse_unknown
from cdp.errors import FieldError, Invalid
from cdp.outgoing.client import UrlRefused, check_url
from cdp.outgoing.signature import new_secret
from cdp.tenancy import audit, secrets
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox


def create_forwarding_rule(
    *, actor: Actor, sandbox: Sandbox, **values: Any
) -> tuple[ForwardingRule, str]:
    """Make a rule; return it with its signing secret, which is shown only this once."""
    rule = ForwardingRule(sandbox=sandbox, **values)
    secret = new_secret()
    rule.secrets = secrets.encrypt(sandbox.organization, {SIGNED_WITH: secret})
    _check(rule)
    _save(rule, force_insert=True)
    audit.record(actor=actor, action="forwarding_rule.created", target=rule, after=values)
    return rule, secret


def change_forwarding_rule(*, actor: Actor, rule: ForwardingRule, **changes: Any) -> ForwardingRule:
    """Change a rule; the doors notice within a second."""
    before = {field: getattr(rule, field) for field in changes}
    for field, value in changes.items():
        setattr(rule, field, value)
    _check(rule)
    _save(rule)
    audit.record(
        actor=actor, action="forwarding_rule.changed", target=rule, before=before, after=changes
    )
    return rule


def delete_forwarding_rule(*, actor: Actor, rule: ForwardingRule) -> None:
    """Delete a rule; what waits for it is thrown away."""
    audit.record(actor=actor, action="forwarding_rule.deleted", target=rule)
    rule.delete()


def _check(rule: ForwardingRule) -> None:
    clean(rule)
    try:
        check_url(rule.url)
    except UrlRefused as error:
        problem = FieldError(path="url", code="refused", detail=str(error))
        raise Invalid(str(error), errors=[problem]) from error
    given: Sequence[str] = rule.inlet_ids
    known = set(list_inlets(rule.sandbox).filter(pk__in=given).values_list("pk", flat=True))
    refuse_unknown("inlet_ids", given, known)


def _save(rule: ForwardingRule, *, force_insert: bool = False) -> None:
    try:
        with transaction.atomic():
            rule.save(force_insert=force_insert)
    except IntegrityError as error:
        raise NameTaken(f"There is a forwarding rule '{rule.name}' already.") from error
