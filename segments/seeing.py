"""Who may ask by what: whoever is found by a field is told what the field says.

Where labels are guarded, a rule may name only what its author sees. Who is in a segment is
seen by all who see segments: somebody who may has said so, and its own labels say the rest.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cdp.datasets.errors import FieldHidden
from cdp.datasets.lineage import Sources
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from profiles.selectors.sight import sight_of
from segments.language.ast import Condition
from segments.language.explain import UsedField, fields_used
from segments.language.vocabulary import Vocabulary
from segments.models import Segment
from segments.payload import payload_fields


def require_seen(sandbox: Sandbox, actor: Actor, rule: Condition, words: Vocabulary) -> None:
    """Raise `FieldHidden` if a rule names a field that is kept from its author."""
    if actor.labels is not None:
        _require(sandbox, actor, fields_used(rule, words))


def require_seen_attributes(sandbox: Sandbox, actor: Actor, paths: Iterable[str]) -> None:
    """Raise `FieldHidden` if one of these attributes of people is kept from an actor."""
    sight_of(sandbox, actor).require_attributes(paths)


def seen_payload(
    segment: Segment, actor: Actor, known: Mapping[int, Mapping[str, Any]]
) -> dict[int, dict[str, Any]]:
    """Return what an actor may see of what is known of people as members of a segment."""
    if actor.labels is None:
        return {profile: dict(own) for profile, own in known.items()}
    seen = {name for name, one in payload_fields(segment).items() if actor.may_see(one.labels)}
    return {
        profile: {name: value for name, value in own.items() if name in seen}
        for profile, own in known.items()
    }


def _require(sandbox: Sandbox, actor: Actor, fields: Iterable[UsedField]) -> None:
    sight, sources = sight_of(sandbox, actor), Sources.of(sandbox, enabled_only=False)
    for used in fields:
        if used.base == "profile":
            sight.require_attributes([used.path])
        elif used.base == "event":
            sight.require_event_field(used.path)
        elif not all(
            actor.may_see(carrier.labels) for carrier in sources.of_entity(used.entity, used.path)
        ):
            raise FieldHidden(used.path)
