"""Profiles and events as JSON values; written by hand, for a look-up is asked all the time."""

from datetime import UTC, datetime
from typing import Any

from profiles.identity.fragment import Fragment
from profiles.identity.namespaces import NamespaceCatalogue
from profiles.identity.rules import Identity
from profiles.ids import profile_key
from profiles.selectors.people import KnownIdentity, Person
from profiles.selectors.shown import Shown, only
from profiles.selectors.timeline import Event

Json = dict[str, Any]


def profile_json(
    shown: Shown, namespaces: NamespaceCatalogue, paths: list[str] | None = None
) -> Json:
    """Render a profile; with `paths`, only these of its attributes."""
    person, attributes = shown.person, shown.attributes
    rendered: Json = {
        "id": profile_key(person.id),
        "created_at": person.created_at,
        "merge_policy": {"id": shown.policy.id, "name": shown.policy.name},
        "attributes": attributes if paths is None else only(attributes, paths),
        "identities": [identity_json(known, namespaces) for known in person.identities],
        "segments": person.segments,
        "consents": attributes.get("consents", {}),
        **shown.extras,
    }
    if shown.sources is not None:
        rendered["sources"] = {
            path: {
                "dataset_id": source.dataset_id,
                "identity": plain_identity(source.identity),
                "at": moment(source.at),
            }
            for path, source in shown.sources.items()
            if paths is None or any(path == p or path.startswith(f"{p}.") for p in paths)
        }
    return rendered


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


def fragment_json(fragment: Fragment, person: Person) -> Json:
    """Render what one dataset says."""
    names = {known.id: known.identity for known in person.identities}
    return {
        "dataset_id": fragment.dataset,
        "identity": plain_identity(names[fragment.identity]),
        "taken_at": moment(fragment.at),
        "document": fragment.document,
        "changed_in_part": {path: moment(at) for path, at in fragment.times.items()},
    }


def event_json(event: Event) -> Json:
    """Render one event."""
    return {
        "event_id": event.event_id,
        "event_type": event.event_type,
        "timestamp": moment(event.at),
        "dataset_id": event.dataset_id,
        "identity": plain_identity(event.identity),
        "body": event.body,
    }


def moment(milliseconds: int) -> datetime:
    """Return a time from its milliseconds."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
