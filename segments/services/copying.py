"""Copying the segments of a sandbox into another one."""

import json
from collections.abc import Mapping
from typing import Any, Final

from cdp.schemas.models import Schema
from cdp.tenancy.actors import Actor
from cdp.tenancy.ids import new_id
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.models import MergePolicy
from segments.enums import SegmentOrigin, SegmentState
from segments.models import (
    Segment,
    SegmentVersion,
)
from segments.services.look_ups import note_look_ups

_ACTOR: Final = Actor.system("sandboxes")


def copy_segments(source: Sandbox, target: Sandbox) -> None:
    """Copy segments as drafts; what the target has by that name stays, and is asked instead.

    Those that are composed or uploaded are filled by data, and are not copied.

    Rules that ask for other segments, or for entities of a schema, ask for their
    counterparts; one that asks for a segment without any cannot be published like that.
    Merge policies and schemas have been copied before.
    """
    with scope(source, _ACTOR):
        names = dict(Segment.objects.for_sandbox(source).values_list("pk", "name"))
        rows = list(
            Segment.objects.for_sandbox(source)
            .filter(origin=SegmentOrigin.RULE)
            .select_related("merge_policy")
            .order_by("pk")
        )
        schemas = dict(Schema.objects.for_sandbox(source).values_list("pk", "uri"))
    with scope(target, _ACTOR):
        there = dict(Segment.objects.for_sandbox(target).values_list("name", "pk"))
        policies = {policy.name: policy for policy in MergePolicy.objects.for_sandbox(target)}
        counterparts = {key: there[name] for key, name in names.items() if name in there}
        counterparts |= {row.pk: new_id("seg") for row in rows if row.name not in there}
        own_schemas = dict(Schema.objects.for_sandbox(target).values_list("uri", "pk"))
        renamed = counterparts | {
            key: own_schemas[uri] for key, uri in schemas.items() if uri in own_schemas
        }
        copied = [row for row in rows if row.name not in there]
        for row in copied:
            own = row.merge_policy
            row.merge_policy = policies.get(own.name) if own else None
            row.references = [counterparts.get(key, key) for key in row.references]
            row.rule = _readdressed(row.rule, renamed)
            row.pk, row.sandbox, row.version = counterparts[row.pk], target, 1
            row.state, row.size = SegmentState.DRAFT, 0
            row.evaluated_at = row.published_at = None
        Segment.objects.bulk_create(copied, batch_size=200)
        SegmentVersion.objects.bulk_create(
            [
                SegmentVersion(
                    sandbox=target, segment=row, number=1, rule=row.rule, actor_name=_ACTOR.name
                )
                for row in copied
            ],
            batch_size=200,
        )
        for row in copied:
            note_look_ups(row)


def _readdressed(rule: Any, counterparts: Mapping[str, str]) -> Any:
    """Return a rule that asks for the counterparts of what it asked for."""
    text = json.dumps(rule)
    for old, new in counterparts.items():
        text = text.replace(json.dumps(old), json.dumps(new))
    return json.loads(text)
