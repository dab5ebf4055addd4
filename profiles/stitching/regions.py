"""Reading the part of the stored graphs that a change may touch."""

from collections.abc import Collection, Hashable, Iterable
from typing import Any

from cdp.tenancy.models import Sandbox
from profiles.identity.neighbourhood import Held, Pair, Region, Settled
from profiles.identity.rules import Identity
from profiles.sets import OWN, select
from profiles.stitching.known import Known

_COLUMNS = "id, namespace, value, profile_id, founded, crowd"
_OF_PROFILES = f"""
SELECT own.id, own.namespace, own.value, own.profile_id, own.founded, own.crowd
FROM profiles_profile AS stored
JOIN profiles_identity AS own ON own.id = ANY(stored.members) AND own.{OWN}
WHERE stored.{OWN} AND stored.id = ANY(%(keys)s)
"""
_OF_CROWDS = f"""
SELECT {_COLUMNS} FROM profiles_identity
WHERE {OWN} AND crowd IS NOT NULL AND crowd = ANY(%(keys)s)
"""
_BY_ID = f"SELECT {_COLUMNS} FROM profiles_identity WHERE {OWN} AND id = ANY(%(keys)s)"
_HELD = "a, b, round(date_part('epoch', last_seen) * 1000)::bigint, by_a, by_b"
# A cut link is kept by neither end; the last arm lets a cut be told from a link never seen.
_LINKS = f"""
SELECT {_HELD} FROM profiles_identitylink WHERE {OWN} AND by_a AND a = ANY(%(keys)s)
UNION ALL
SELECT {_HELD} FROM profiles_identitylink WHERE {OWN} AND by_b AND b = ANY(%(keys)s)
UNION ALL
SELECT {_HELD} FROM profiles_identitylink
WHERE {OWN} AND cut_at IS NOT NULL AND a = ANY(%(keys)s)
"""
_NAMES = f"""
SELECT id, namespace, value FROM profiles_identity WHERE {OWN} AND id = ANY(%(keys)s)
"""


class Regions:
    """Loads regions of one sandbox and remembers what is stored of each member.

    `cut` holds the links that an operator has cut, of members that were loaded.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.known: dict[int, Known] = {}
        self.cut: set[Pair] = set()

    def around(self, identities: Iterable[Known]) -> Region:
        """Read the graphs and crowds of stored identities."""
        profiles, crowds = set(), set()
        for known in identities:
            if known.crowd is None:
                profiles.add(known.profile)
            else:
                crowds.add(known.crowd)
        region = Region()
        self._add_members(region, _OF_PROFILES, profiles)
        self._add_members(region, _OF_CROWDS, crowds)
        self._add_links(region)
        return region

    def load(self, wanted: set[int]) -> Region:
        """Read the graphs and crowds of identities by number."""
        rows = self._rows(_BY_ID, wanted)
        return self.around(Known(key, *rest) for key, _, _, *rest in rows)

    def add_new(self, region: Region, identity: Identity, known: Known) -> None:
        """Put an identity into a region that is not stored yet: a graph of its own."""
        self.known[known.id] = known
        region.names[known.id] = identity
        region.group[known.id] = ("new", known.id)

    def unjoined(self, settled: Settled) -> set[int]:
        """Return the identities with a link that does not join, one that was cut included."""
        return settled.unjoined().union(*self.cut)

    def _add_members(self, region: Region, sql: str, groups: Collection[int]) -> None:
        if not groups:
            return
        for key, namespace, value, *rest in self._rows(sql, groups):
            self.known[key] = known = Known(key, *rest)
            region.names[key] = Identity(namespace, value)
            region.group[key] = _group(known)

    def _add_links(self, region: Region) -> None:
        if not region.group:
            return
        for a, b, seen, by_a, by_b in self._rows(_LINKS, region.group):
            if by_a or by_b:
                region.links[a, b] = Held(seen, by_a, by_b)
            else:
                self.cut.add((a, b))
        far = {end for pair in region.links for end in pair}.difference(region.names)
        if far:
            region.names |= {key: Identity(*name) for key, *name in self._rows(_NAMES, far)}

    def _rows(self, sql: str, keys: Iterable[int]) -> list[tuple[Any, ...]]:
        return select(sql, self._sandbox, keys=list(keys))


def _group(known: Known) -> Hashable:
    return ("profile", known.profile) if known.crowd is None else ("crowd", known.crowd)
