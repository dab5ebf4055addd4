"""Profiles and events as JSON values; written by hand, for a look-up is asked all the time."""

from datetime import UTC, datetime
from typing import Any

from profiles.identity.fragment import Fragment
from profiles.identity.namespaces import NamespaceCatalogue
from profiles.identity.rules import Identity
from profiles.ids import profile_key
from profiles.selectors.people import KnownIdentity, Person
from profiles.selectors.shown import Shown, only
from profiles.selectors.sight import EVENT_TYPE, Sight
from profiles.selectors.timeline import Event

Json = dict[str, Any]


def profile_json(
    shown: Shown, namespaces: NamespaceCatalogue, sight: Sight, paths: list[str] | None = None
) -> Json:
    """Render a profile; with `paths`, only these of its attributes."""
    person, attributes = shown.person, shown.attributes
    rendered: Json = {
        "id": profile_key(person.id),
        "created_at": person.created_at,
        "merge_policy": {"id": shown.policy.id, "name": shown.policy.name},
        "attributes": attributes if paths is None else only(attributes, paths),
        "identities": identities_json(person, namespaces, sight),
        "segments": person.segments,
        "consents": attributes.get("consents", {}),
        **shown.extras,
    }
    if shown.sources is not None:
        rendered["sources"] = {
            path: {
                "dataset_id": source.dataset_id,
                "identity": seen_identity(source.identity, sight),
                "at": moment(source.at),
            }
            for path, source in shown.sources.items()
            if paths is None or any(_on_the_way(path, asked) for asked in paths)
        }
    return rendered


def identities_json(person: Person, namespaces: NamespaceCatalogue, sight: Sight) -> list[Json]:
    """Render those of a person's identities that are seen, the oldest first."""
    return [
        identity_json(known, namespaces)
        for known in person.identities
        if known.identity.namespace not in sight.namespaces
    ]


def seen_identity(identity: Identity, sight: Sight) -> Json:
    """Render an identity as namespace and value; the value is null if it is hidden."""
    hidden = identity.namespace in sight.namespaces
    return {"namespace": identity.namespace, "value": None if hidden else identity.value}


def identity_json(known: KnownIdentity, namespaces: NamespaceCatalogue) -> Json:
    """Render one identity of a profile."""
    namespace = namespaces.find(known.identity.namespace)
    return {
        **plain_identity(known.identity),
        "type": namespace.type.value if namespace else None,
        "first_seen": known.first_seen,
    }


def plain_identity(identity: Identity) -> Json:
    """Render an identity as namespace and value."""
    return {"namespace": identity.namespace, "value": identity.value}


def fragment_json(fragment: Fragment, person: Person, sight: Sight) -> Json:
    """Render what one dataset says."""
    names = {known.id: known.identity for known in person.identities}
    return {
        "dataset_id": fragment.dataset,
        "identity": seen_identity(names[fragment.identity], sight),
        "taken_at": moment(fragment.at),
        "document": sight.of_person(fragment.document),
        "changed_in_part": {
            path: moment(at) for path, at in fragment.times.items() if sight.sees_attribute(path)
        },
    }


def event_json(event: Event, sight: Sight) -> Json:
    """Render one event."""
    body = sight.of_event(event.body)
    return {
        "event_id": event.event_id,
        "event_type": event.event_type if EVENT_TYPE in body else "",
        "timestamp": moment(event.at),
        "dataset_id": event.dataset_id,
        "identity": seen_identity(event.identity, sight),
        "body": body,
    }


def _on_the_way(path: str, asked: str) -> bool:
    """Tell whether one of two paths leads to the other: a list has one source for all in it."""
    return f"{path}.".startswith(f"{asked}.") or f"{asked}.".startswith(f"{path}.")


def moment(milliseconds: int) -> datetime:
    """Return a time from its milliseconds."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
