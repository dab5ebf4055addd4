"""Links that an identity had dropped and keeps again, once newer ones are gone."""

from collections.abc import Collection

from cdp.tenancy.models import Sandbox
from profiles.identity.graph import Link, overfull
from profiles.identity.neighbourhood import Held, Pair
from profiles.identity.rules import Identity, Rules
from profiles.sets import OWN, select

_DROPPED_BY = f"""
SELECT DISTINCT a FROM profiles_identitylink
WHERE {OWN} AND a = ANY(%(keys)s) AND NOT by_a AND cut_at IS NULL
UNION
SELECT DISTINCT b FROM profiles_identitylink
WHERE {OWN} AND b = ANY(%(keys)s) AND NOT by_b AND cut_at IS NULL
"""
_ALL_OF = f"""
SELECT a, b, (extract(epoch FROM last_seen) * 1000)::bigint, by_a, by_b
FROM profiles_identitylink
WHERE {OWN} AND (a = %(key)s OR b = %(key)s) AND cut_at IS NULL
"""
_NAMES = f"""
SELECT id, namespace, value FROM profiles_identity WHERE {OWN} AND id = ANY(%(keys)s)
"""


def refill(sandbox: Sandbox, identities: Collection[int], rules: Rules) -> dict[Pair, Held]:
    """Return the links that these identities keep now and did not before.

    Call it when links of theirs have been cut or deleted. Nothing is written.
    """
    again: dict[Pair, Held] = {}
    for (identity,) in select(_DROPPED_BY, sandbox, keys=list(identities)):
        again |= _of_one(sandbox, identity, rules)
    return again


def _of_one(sandbox: Sandbox, identity: int, rules: Rules) -> dict[Pair, Held]:
    stored = {
        (a, b): Held(seen, by_a, by_b)
        for a, b, seen, by_a, by_b in select(_ALL_OF, sandbox, key=identity)
    }
    ends = {end for pair in stored for end in pair}
    names = {key: Identity(*name) for key, *name in select(_NAMES, sandbox, keys=list(ends))}
    links = [Link(a, b, held.seen) for (a, b), held in stored.items()]
    lost = {link[:2] for _, own in overfull({identity: links}, names, rules) for link in own}
    return {
        pair: held.kept(by_a=pair[0] == identity)
        for pair, held in stored.items()
        if pair not in lost and not (held.by_a if pair[0] == identity else held.by_b)
    }
