"""The audit trail: every service writes one event for each change, in the change's transaction."""

from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from orjson import dumps, loads

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import AuditEvent, Organization, Sandbox

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
    sandbox = sandbox or getattr(target, "sandbox", None)
    owner = organization or (sandbox.organization if sandbox else target.organization)  # type: ignore[attr-defined]
    AuditEvent.objects.create(
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
