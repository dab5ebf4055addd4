"""The merged view of changed profiles: for the event store's snapshot, and for search."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orjson import loads

from cdp.tenancy.models import Sandbox
from profiles.computed.placing import with_computed
from profiles.identity.fragment import Document, Fragment
from profiles.identity.merge import Policy, merge
from profiles.identity.rules import Identity
from profiles.identity.terms import terms_of
from profiles.sets import OWN, as_json, execute, select

_IDENTITIES = f"""
SELECT profile.id, own.id, own.namespace, own.value FROM profiles_profile AS profile
JOIN profiles_identity AS own ON own.id = ANY(profile.members) AND own.{OWN}
WHERE profile.{OWN} AND profile.id = ANY(%(profiles)s) ORDER BY own.id
"""
_FRAGMENTS = f"""
SELECT profile.id, fragment.identity_id, fragment.dataset_id, fragment.document::text,
    (extract(epoch FROM fragment.taken_at) * 1000)::bigint, fragment.times::text
FROM profiles_profile AS profile
JOIN profiles_fragment AS fragment
    ON fragment.identity_id = ANY(profile.members) AND fragment.{OWN}
WHERE profile.{OWN} AND profile.id = ANY(%(profiles)s)
"""
_COMPUTED = f"""
SELECT profile_id, document::text FROM profiles_computedvalues
WHERE {OWN} AND profile_id = ANY(%(profiles)s)
"""
_VERSION = "SELECT nextval('profiles_version')"
_STAMP = f"""
UPDATE profiles_profile SET version = %(version)s WHERE {OWN} AND id = ANY(%(profiles)s)
"""
_FORGET_TERMS = f"""
DELETE FROM profiles_searchterm AS stored
WHERE stored.{OWN} AND stored.profile_id = ANY(%(profiles)s)
    AND NOT EXISTS (
        SELECT FROM jsonb_to_recordset(%(terms)s::jsonb) AS given(
            profile bigint, kind text, term text)
        WHERE given.profile = stored.profile_id AND given.kind = stored.kind
            AND given.term = stored.term)
"""
_ADD_TERMS = """
INSERT INTO profiles_searchterm (sandbox_id, profile_id, kind, term)
SELECT %(sandbox)s, profile, kind, term
FROM jsonb_to_recordset(%(terms)s::jsonb) AS given(profile bigint, kind text, term text)
ON CONFLICT DO NOTHING
"""


@dataclass(slots=True)
class Parts:
    """What one profile is made of."""

    identities: dict[int, Identity] = field(default_factory=dict)
    fragments: list[Fragment] = field(default_factory=list)
    computed: dict[str, Any] = field(default_factory=dict)

    def merged(self, policy: Policy, tenant: str) -> Document:
        """Return the attributes of the person, those that are computed included."""
        return with_computed(merge(self.fragments, policy), self.computed, tenant)

    def identity_map(self) -> dict[str, list[dict[str, str]]]:
        """Return the identities as XDM has them, the oldest first."""
        found: dict[str, list[dict[str, str]]] = defaultdict(list)
        for identity in self.identities.values():
            found[identity.namespace].append({"id": identity.value})
        return dict(found)


def read_parts(sandbox: Sandbox, profiles: Collection[int]) -> dict[int, Parts]:
    """Read the identities, fragments and computed values of these profiles, in three queries."""
    parts: dict[int, Parts] = defaultdict(Parts)
    wanted = list(profiles)
    for profile, key, namespace, value in select(_IDENTITIES, sandbox, profiles=wanted):
        parts[profile].identities[key] = Identity(namespace, value)
    for profile, key, dataset, document, at, times in select(_FRAGMENTS, sandbox, profiles=wanted):
        fragment = Fragment(key, dataset, loads(document), at, loads(times) if times else {})
        parts[profile].fragments.append(fragment)
    for profile, document in select(_COMPUTED, sandbox, profiles=wanted):
        parts[profile].computed = loads(document)
    return dict(parts)


def take_snapshots(
    sandbox: Sandbox, profiles: Collection[int], vanished: Iterable[int], policy: Policy
) -> list[dict[str, Any]]:
    """Merge these profiles anew; return their rows for the event store.

    Those that vanished get a row that takes theirs away. Also brings the words for
    search up to date, and notes the rows' version on the profiles.
    """
    gone = list(vanished)
    if not profiles and not gone:
        return []
    parts = read_parts(sandbox, profiles)
    [(version,)] = select(_VERSION, sandbox)
    tenant = sandbox.organization.tenant_namespace
    documents = {profile: own.merged(policy, tenant) for profile, own in parts.items()}
    _write_terms(sandbox, _terms(parts, documents), [*profiles, *gone])
    execute(_STAMP, sandbox, version=version, profiles=[*documents, *gone])
    rows = [
        _row(sandbox, profile, version, {**documents[profile], "identityMap": own.identity_map()})
        for profile, own in parts.items()
    ]
    return rows + [_row(sandbox, profile, version, {}, deleted=1) for profile in gone]


def _row(
    sandbox: Sandbox, profile: int, version: int, body: Mapping[str, Any], deleted: int = 0
) -> dict[str, Any]:
    return {
        "sandbox_id": sandbox.pk,
        "profile_id": profile,
        "version": version,
        "deleted": deleted,
        "body": body,
    }


def _terms(
    parts: Mapping[int, Parts], documents: Mapping[int, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    return [
        {"profile": profile, "kind": kind, "term": term}
        for profile, own in parts.items()
        for kind, term in sorted(terms_of(documents[profile], own.identities.values()))
    ]


def _write_terms(
    sandbox: Sandbox, terms: Sequence[Mapping[str, Any]], profiles: Collection[int]
) -> None:
    given = as_json(terms)
    execute(_FORGET_TERMS, sandbox, profiles=list(profiles), terms=given)
    if terms:
        execute(_ADD_TERMS, sandbox, terms=given)
