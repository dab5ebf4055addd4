"""The history of schemas and components."""

from collections.abc import Mapping
from typing import Any

from cdp.schemas.models import Component, ResourceVersion, Schema
from cdp.schemas.registry.drafting import differences
from cdp.tenancy.actors import Actor

MAX_CHANGES = 1000


def note_version(
    *,
    actor: Actor,
    row: Component | Schema,
    before: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Write down the version that a row has now, and how it came from the one before.

    `before` is the earlier document; without it this is the first version, or the
    change was elsewhere, which `reason` tells.
    """
    changes = [] if before is None else list(differences(before, row.document))
    ResourceVersion.objects.create(
        sandbox_id=row.sandbox_id,
        resource_id=row.pk,
        version=row.version,
        document=row.document,
        changes=changes[:MAX_CHANGES],
        reason=reason,
        actor_name=actor.name[:255],
    )
