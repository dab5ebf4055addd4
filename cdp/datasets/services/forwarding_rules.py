"""Making, changing and deleting forwarding rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from cdp.datasets.enums import Sink
from cdp.datasets.forwarding.streams import account_of
from cdp.datasets.forwarding.webhooks import SIGNED_WITH
from cdp.datasets.models import ForwardingRule
from cdp.datasets.selectors import list_inlets, refuse_unknown
from cdp.errors import FieldError, Invalid
from cdp.outgoing.accounts import Account, configured, reconfigured
from cdp.outgoing.client import UrlRefused, check_url
from cdp.outgoing.kafka import Cluster
from cdp.outgoing.signature import new_secret
from cdp.tenancy import audit, secrets
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox


def create_forwarding_rule(
    *,
    actor: Actor,
    sandbox: Sandbox,
    kind: str = Sink.WEBHOOK,
    settings: Mapping[str, Any] | None = None,
    **values: Any,
) -> tuple[ForwardingRule, str]:
    """Make a rule; return it with its signing secret, which is shown only this once.

    Only a webhook has such a secret. Nothing is tried yet.
    """
    rule = ForwardingRule(sandbox=sandbox, kind=kind, **values)
    secret = new_secret() if kind == Sink.WEBHOOK else ""
    if secret:
        rule.settings = dict(settings or {})
        rule.secrets = secrets.encrypt(sandbox.organization, {SIGNED_WITH: secret})
    else:
        _keep(rule, configured(Cluster, settings or {}, ""))
    _check(rule)
    _save(rule, force_insert=True)
    after = {"kind": kind, **values, "settings": rule.settings}
    audit.record(actor=actor, action="forwarding_rule.created", target=rule, after=after)
    return rule, secret


def change_forwarding_rule(
    *,
    actor: Actor,
    rule: ForwardingRule,
    settings: Mapping[str, Any] | None = None,
    **changes: Any,
) -> ForwardingRule:
    """Change a rule; the doors notice within a second.

    Settings are merged, null takes one away; what a rule sends to never changes.
    """
    before = {field: getattr(rule, field) for field in changes}
    after = dict(changes)
    for field, value in changes.items():
        setattr(rule, field, value)
    if settings is not None:
        before["settings"] = rule.settings
        if rule.kind == Sink.KAFKA:
            _keep(rule, reconfigured(Cluster, account_of(rule), settings))
        else:
            rule.settings = dict(settings)
        after["settings"] = rule.settings
    _check(rule)
    _save(rule)
    audit.record(
        actor=actor, action="forwarding_rule.changed", target=rule, before=before, after=after
    )
    return rule


def delete_forwarding_rule(*, actor: Actor, rule: ForwardingRule) -> None:
    """Delete a rule; what waits for it is thrown away."""
    audit.record(actor=actor, action="forwarding_rule.deleted", target=rule)
    rule.delete()


def _keep(rule: ForwardingRule, account: Account) -> None:
    rule.settings = dict(account.settings)
    rule.secrets = secrets.encrypt(rule.sandbox.organization, dict(account.secrets))


def _check(rule: ForwardingRule) -> None:
    clean(rule)
    if rule.kind == Sink.KAFKA:
        if rule.url:
            raise _refused("url", "A topic has no URL; say its servers in 'settings'.")
    else:
        if rule.settings:
            raise _refused("settings", "A webhook has nothing to set but its URL.")
        try:
            check_url(rule.url)
        except UrlRefused as error:
            raise _refused("url", str(error)) from error
    given: Sequence[str] = rule.inlet_ids
    known = set(list_inlets(rule.sandbox).filter(pk__in=given).values_list("pk", flat=True))
    refuse_unknown("inlet_ids", given, known)


def _refused(path: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(path=path, code="refused", detail=detail)])


def _save(rule: ForwardingRule, *, force_insert: bool = False) -> None:
    try:
        with transaction.atomic():
            rule.save(force_insert=force_insert)
    except IntegrityError as error:
        raise NameTaken(f"There is a forwarding rule '{rule.name}' already.") from error
