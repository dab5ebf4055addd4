"""The merged view of changed profiles: for the event store's snapshot, and for search."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from orjson import dumps, loads

from cdp.tenancy.models import Sandbox
from profiles.identity.fragment import Fragment
from profiles.identity.merge import Policy, merge
from profiles.identity.rules import Identity
from profiles.identity.terms import terms_of
from profiles.stitching.own import OWN

_IDENTITIES = f"""
SELECT profile_id, id, namespace, value FROM profiles_identity
WHERE {OWN} AND profile_id = ANY(%(profiles)s) ORDER BY id
"""
_FRAGMENTS = f"""
SELECT identity.profile_id, identity.id, fragment.dataset_id, fragment.document::text,
    (extract(epoch FROM fragment.taken_at) * 1000)::bigint, fragment.times::text
FROM profiles_identity AS identity
JOIN profiles_fragment AS fragment
    ON fragment.identity_id = identity.id AND fragment.{OWN}
WHERE identity.{OWN} AND identity.profile_id = ANY(%(profiles)s)
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

    def identity_map(self) -> dict[str, list[dict[str, str]]]:
        """Return the identities as XDM has them, the oldest first."""
        found: dict[str, list[dict[str, str]]] = defaultdict(list)
        for identity in self.identities.values():
            found[identity.namespace].append({"id": identity.value})
        return dict(found)


def read_parts(sandbox: Sandbox, profiles: Collection[int]) -> dict[int, Parts]:
    """Read the identities and fragments of these profiles, in two queries."""
    parts: dict[int, Parts] = defaultdict(Parts)
    wanted = {"sandbox": sandbox.pk, "profiles": list(profiles)}
    with connection.cursor() as cursor:
        cursor.execute(_IDENTITIES, wanted)
        for profile, key, namespace, value in cursor.fetchall():
            parts[profile].identities[key] = Identity(namespace, value)
        cursor.execute(_FRAGMENTS, wanted)
        for profile, key, dataset, document, at, times in cursor.fetchall():
            fragment = Fragment(key, dataset, loads(document), at, loads(times) if times else {})
            parts[profile].fragments.append(fragment)
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
    version = _next_version()
    documents = {profile: merge(own.fragments, policy) for profile, own in parts.items()}
    _write_terms(sandbox, documents, [*profiles, *gone])
    with connection.cursor() as cursor:
        stamped = [*documents, *gone]
        cursor.execute(_STAMP, {"sandbox": sandbox.pk, "version": version, "profiles": stamped})
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


def _next_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_VERSION)
        (version,) = cursor.fetchone() or (0,)
        return int(version)


def _write_terms(
    sandbox: Sandbox, documents: Mapping[int, Mapping[str, Any]], profiles: Collection[int]
) -> None:
    terms = [
        {"profile": profile, "kind": kind, "term": term}
        for profile, document in documents.items()
        for kind, term in sorted(terms_of(document))
    ]
    values = {"sandbox": sandbox.pk, "profiles": list(profiles), "terms": dumps(terms).decode()}
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_TERMS, values)
        if terms:
            cursor.execute(_ADD_TERMS, values)
