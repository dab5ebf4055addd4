"""The audit trail: every service writes one event for each change, in the change's transaction."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from orjson import dumps, loads

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import AuditEvent, Organization, Sandbox
from cdp.tenancy.scope import survive

_encode = DjangoJSONEncoder().default


def record(
    *,
    actor: Actor,
    action: str,
    target: models.Model,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    sandbox: Sandbox | None = None,
    organization: Organization | None = None,
) -> None:
    """Write down who did what to `target`.

    `action` is noun.verb in the past, such as `segment.published`. `before` and
    `after` hold only what changed, and never a secret. A target that carries a
    sandbox or an organization says itself whose event it is.
    """
    _event(actor, action, target, before, after, sandbox, organization).save(force_insert=True)


def record_refusal(
    *, actor: Actor, action: str, target: models.Model, after: Mapping[str, Any] | None = None
) -> None:
    """Write down what was refused, although the refusal rolls back all that was tried."""
    event = _event(actor, action, target, None, after, None, None)
    survive(partial(event.save, force_insert=True))


def _event(
    actor: Actor,
    action: str,
    target: models.Model,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    sandbox: Sandbox | None,
    organization: Organization | None,
) -> AuditEvent:
    sandbox = sandbox or getattr(target, "sandbox", None)
    owner = organization or (sandbox.organization if sandbox else target.organization)  # type: ignore[attr-defined]
    return AuditEvent(
        organization=owner,
        sandbox=sandbox,
        action=action,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        request_id=actor.request_id,
        target_type=target._meta.model_name or "",
        target_id=str(target.pk),
        target_name=str(target)[:255],
        before=_plain(before),
        after=_plain(after),
    )


def _plain(values: Mapping[str, Any] | None) -> Any:
    return None if values is None else loads(dumps(dict(values), default=_encode))
