"""What an actor may see of people: fields whose labels it does not carry are left out.

The one place that decides it, for look-ups, searches, events and exports.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cdp.datasets.errors import FieldHidden
from cdp.datasets.hiding import Hidden, hidden_paths, is_hidden, without
from cdp.datasets.lineage import Sources
from cdp.schemas.selectors import EVENT_CLASS, PROFILE_CLASS
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from profiles.computed.definition import ROOT
from profiles.computed.evaluating import computation_of
from profiles.identity.rules import Identity
from profiles.identity.terms import sources_of_kind
from profiles.models import ComputedAttribute

IDENTITY_MAP: Final = "identityMap"
EVENT_TYPE: Final = "eventType"


@dataclass(frozen=True, slots=True)
class Sight:
    """Fields of people and of events that are hidden, and namespaces whose values are."""

    attributes: Hidden = field(default_factory=dict)
    events: Hidden = field(default_factory=dict)
    namespaces: frozenset[str] = frozenset()

    def of_person(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is seen of a person's attributes."""
        seen: dict[str, Any] = without(document, self.attributes)
        return seen

    def of_event(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is seen of an event."""
        seen: dict[str, Any] = without(body, self.events)
        return seen

    def sees_attribute(self, path: str) -> bool:
        """Tell whether an attribute is seen."""
        return not is_hidden(path, self.attributes)

    def sees_event_field(self, path: str) -> bool:
        """Tell whether a field of events is seen."""
        return not is_hidden(path, self.events)

    def sees_identities(self, identities: Iterable[Identity]) -> bool:
        """Tell whether all of these identities are seen."""
        return all(identity.namespace not in self.namespaces for identity in identities)

    def require_attributes(self, paths: Iterable[str]) -> None:
        """Raise `FieldHidden` if one of these attributes is hidden."""
        for path in paths:
            if not self.sees_attribute(path):
                raise FieldHidden(path)

    def require_event_field(self, path: str) -> None:
        """Raise `FieldHidden` if this field of events is hidden."""
        if not self.sees_event_field(path):
            raise FieldHidden(path)

    def require_namespaces(self, namespaces: Iterable[str]) -> None:
        """Raise `FieldHidden` if the identities of a namespace are hidden."""
        for namespace in namespaces:
            if namespace in self.namespaces:
                raise FieldHidden(f"{IDENTITY_MAP}.{namespace}")

    def require_search(self, kind: str) -> None:
        """Raise `FieldHidden` if a search of this kind would look at something hidden."""
        paths, namespaces = sources_of_kind(kind)
        self.require_attributes(paths)
        self.require_namespaces(namespaces)


EVERYTHING: Final = Sight()


def sight_of(sandbox: Sandbox, actor: Actor) -> Sight:
    """Return what an actor may see; without a query if nothing is kept from it.

    The labels of all datasets that bring a field count together: a value that one of
    them guards is not seen because another one brings it, too.
    """
    if actor.labels is None:
        return EVERYTHING
    sources = Sources.of(sandbox, enabled_only=False)
    events, named_by_events = _hidden(sources, EVENT_CLASS, actor)
    attributes, named_by_people = _hidden(sources, PROFILE_CLASS, actor)
    guarded = frozenset(named_by_events | named_by_people)
    maps = {f"{IDENTITY_MAP}.{namespace}" for namespace in guarded}
    event_tree = hidden_paths(events | maps)
    computed = _computed(sandbox, event_tree)
    return Sight(hidden_paths(attributes | maps | computed), event_tree, guarded)


def _hidden(sources: Sources, class_uri: str, actor: Actor) -> tuple[set[str], set[str]]:
    """Return the hidden paths of a class, and the namespaces of hidden identities."""
    found = [
        field
        for field, carrier in sources.every_field(class_uri)
        if not actor.may_see(carrier.labels)
    ]
    return {one.path for one in found}, {one.namespace for one in found if one.namespace}


def _computed(sandbox: Sandbox, events: Hidden) -> set[str]:
    """Return the computed attributes that are worked out of something hidden.

    Also those that are not worked out any more: their values go by and by.
    """
    if not events:
        return set()
    root = f"_{sandbox.organization.tenant_namespace}.{ROOT}"
    return {
        f"{root}.{one.name}"
        for one in map(computation_of, ComputedAttribute.objects.for_sandbox(sandbox))
        if any(is_hidden(path, events) for path in one.fields)
    }
