"""Removing persons from both stores."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

from django.utils import timezone

from cdp.tenancy.models import Sandbox
from profiles.identity.rules import Identity
from profiles.ingest.deleting import EVENTS_OF_IDENTITIES, OVERRIDES_OF_IDENTITIES
from profiles.ingest.payload import Deletion, Payload
from profiles.ingest.regrouped import changed_payload
from profiles.selectors.people import people_of_identities
from profiles.selectors.rules import linking_rules
from profiles.sets import OWN, execute, select
from profiles.stitching.forgetting import forget
from profiles.stitching.known import find

_FRAGMENTS: Final = f"DELETE FROM profiles_fragment WHERE {OWN} AND identity_id = ANY(%(keys)s)"
_TERMS: Final = f"DELETE FROM profiles_searchterm WHERE {OWN} AND profile_id = ANY(%(profiles)s)"
_PROFILES: Final = f"""
SELECT profile_id, founded FROM profiles_identity WHERE {OWN} AND id = ANY(%(keys)s)
"""
_VALUES: Final = f"""
DELETE FROM profiles_computedvalues WHERE {OWN} AND profile_id = ANY(%(profiles)s)
"""


@dataclass(frozen=True, slots=True)
class Removal:
    """What the event store is to be told, and how much went from PostgreSQL."""

    payload: Payload
    identities: int
    fragments: int
    profiles: int


def whole_people(sandbox: Sandbox, identities: Iterable[Identity]) -> dict[Identity, int]:
    """Return every identity of the persons whom these belong to, with its number."""
    people = people_of_identities(sandbox, list(identities))
    return {
        known.identity: known.id
        for person in people
        if person is not None
        for known in person.identities
    }


def stored_numbers(sandbox: Sandbox, identities: Iterable[Identity]) -> dict[Identity, int]:
    """Return the numbers of these identities alone, where they are stored."""
    return {identity: known.id for identity, known in find(sandbox, identities).items()}


def profiles_known(sandbox: Sandbox, identities: Iterable[Identity]) -> set[int]:
    """Return the profiles that these identities are of, or have founded before a merge."""
    numbers = list(stored_numbers(sandbox, identities).values())
    found = select(_PROFILES, sandbox, keys=numbers)
    return {profile for pair in found for profile in pair if profile is not None}


def remove(sandbox: Sandbox, identities: Collection[int]) -> Removal:
    """Forget identities, with all that datasets say of them and the events they sent.

    The caller holds the sandbox's graphs. What is removed from the event store is for
    the payload; until a worker has finished it, nobody is told.
    """
    keys = list(identities)
    fragments = execute(_FRAGMENTS, sandbox, keys=keys)
    forgotten = forget(sandbox, keys, linking_rules(sandbox), timezone.now())
    gone = list(forgotten.gone)
    execute(_TERMS, sandbox, profiles=gone)
    execute(_VALUES, sandbox, profiles=gone)
    payload = changed_payload(sandbox, forgotten.stitched, gone=gone, scrub=True)
    deletions = [Deletion(EVENTS_OF_IDENTITIES, keys), Deletion(OVERRIDES_OF_IDENTITIES, keys)]
    return Removal(
        payload=replace(payload, deletions=[*payload.deletions, *deletions] if keys else []),
        identities=len(keys),
        fragments=fragments,
        profiles=len(gone),
    )
