"""Persons: everything that PostgreSQL knows of a profile, in one query for any number of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from orjson import loads

from cdp.tenancy.models import Sandbox
from profiles.errors import ProfileUnknown
from profiles.identity.fragment import Document, Fragment
from profiles.identity.merge import GraphUse, Policy, merge
from profiles.identity.rules import Identity
from profiles.ids import profile_key
from profiles.sets import OWN, as_json, select

_BY_IDENTITY: Final = """
SELECT given.place, stored.profile_id, stored.id AS identity_id
FROM jsonb_to_recordset(%(given)s::jsonb) AS given(place int, namespace text, value text)
CROSS JOIN LATERAL (
    SELECT profile_id, id FROM profiles_identity AS one
    WHERE one.sandbox_id = %(sandbox)s
        AND one.namespace = given.namespace AND one.value = given.value
    LIMIT 1
) AS stored
"""
# Through the founder, for the id of a merged profile stands for whoever has its founder now.
_BY_ID: Final = f"""
SELECT given.place, founder.profile_id, founder.id AS identity_id
FROM jsonb_to_recordset(%(given)s::jsonb) AS given(place int, profile bigint)
JOIN profiles_profile AS named ON named.id = given.profile AND named.{OWN}
JOIN profiles_identity AS founder ON founder.id = named.founder AND founder.{OWN}
"""
_READ: Final = f"""
WITH asked AS ({{asked}})
SELECT asked.place, asked.identity_id, profile.id, profile.created_at, profile.version,
    profile.segments::text,
    (
        SELECT jsonb_agg(jsonb_build_array(own.id, own.namespace, own.value, own.created_at)
            ORDER BY own.id)
        FROM profiles_identity AS own
        WHERE own.id = ANY(profile.members) AND own.{OWN}
    )::text,
    (
        SELECT jsonb_agg(jsonb_build_array(said.identity_id, said.dataset_id, said.document,
            (extract(epoch FROM said.taken_at) * 1000)::bigint, said.times))
        FROM profiles_fragment AS said
        WHERE said.identity_id = ANY(profile.members) AND said.{OWN}
    )::text,
    (
        SELECT jsonb_build_array(worked.document, worked.computed_at)
        FROM profiles_computedvalues AS worked
        WHERE worked.profile_id = profile.id AND worked.{OWN}
    )::text
FROM asked
JOIN profiles_profile AS profile
    ON profile.id = asked.profile_id AND profile.{OWN}
ORDER BY asked.place
"""


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """One of a person's identities."""

    id: int
    identity: Identity
    first_seen: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """A profile with its parts; `asked` is the identity through which it was found."""

    id: int
    asked: int
    created_at: datetime
    version: int
    segments: dict[str, Any]
    identities: tuple[KnownIdentity, ...]
    fragments: tuple[Fragment, ...]
    computed: dict[str, Any] = field(default_factory=dict)
    computed_at: datetime | None = None

    def seen_by(self, policy: Policy) -> "Person":
        """Return what a policy lets be seen: all of the graph, or the asked identity alone."""
        if policy.graph is GraphUse.PRIVATE:
            return self
        return replace(
            self,
            identities=tuple(known for known in self.identities if known.id == self.asked),
            fragments=tuple(one for one in self.fragments if one.identity == self.asked),
            computed={},
        )

    def attributes(self, policy: Policy) -> Document:
        """Return what is known of the person, merged."""
        return merge(self.fragments, policy)


def get_person(sandbox: Sandbox, profile: int) -> Person:
    """Return a person by profile number; a merged one's leads to the survivor.

    Raises `ProfileUnknown`.
    """
    found = people_of_ids(sandbox, [profile])[0]
    if found is None:
        raise ProfileUnknown(f"There is no profile '{profile_key(profile)}'.")
    return found


def get_person_by_identity(sandbox: Sandbox, identity: Identity) -> Person:
    """Return the person whom an identity belongs to. Raises `ProfileUnknown`."""
    found = people_of_identities(sandbox, [identity])[0]
    if found is None:
        raise ProfileUnknown(
            f"Nobody is known under {identity.namespace}:{identity.value} in this sandbox."
        )
    return found


def people_of_ids(sandbox: Sandbox, profiles: Sequence[int]) -> list[Person | None]:
    """Return persons in the order asked, None for those that are unknown."""
    given = [{"place": place, "profile": profile} for place, profile in enumerate(profiles)]
    return _people(sandbox, _BY_ID, given)


def people_of_identities(sandbox: Sandbox, identities: Sequence[Identity]) -> list[Person | None]:
    """Return persons in the order asked, None where nobody is known."""
    given = [
        {"place": place, "namespace": identity.namespace, "value": identity.value}
        for place, identity in enumerate(identities)
    ]
    return _people(sandbox, _BY_IDENTITY, given)


def find_profile_ids(sandbox: Sandbox, identities: Sequence[Identity]) -> dict[Identity, int]:
    """Return the profiles of those identities that are known."""
    given = [
        {"place": place, "namespace": identity.namespace, "value": identity.value}
        for place, identity in enumerate(identities)
    ]
    found = select(_BY_IDENTITY, sandbox, given=as_json(given))
    return {identities[place]: profile for place, profile, _ in found}


def _people(sandbox: Sandbox, asked: str, given: Sequence[dict[str, Any]]) -> list[Person | None]:
    found: list[Person | None] = [None] * len(given)
    for place, *row in select(_READ.format(asked=asked), sandbox, given=as_json(given)):
        found[place] = _person(*row)
    return found


def _person(
    asked: int,
    profile: int,
    created_at: datetime,
    version: int,
    segments: str,
    identities: str,
    fragments: str | None,
    computed: str | None,
) -> Person:
    values, computed_at = loads(computed) if computed else ({}, None)
    return Person(
        id=profile,
        asked=asked,
        created_at=created_at,
        version=version,
        segments=loads(segments),
        identities=tuple(
            KnownIdentity(key, Identity(namespace, value), datetime.fromisoformat(since))
            for key, namespace, value, since in loads(identities)
        ),
        fragments=tuple(
            Fragment(key, dataset, document, at, times or {})
            for key, dataset, document, at, times in (loads(fragments) if fragments else ())
        ),
        computed=values,
        computed_at=datetime.fromisoformat(computed_at) if computed_at else None,
    )
