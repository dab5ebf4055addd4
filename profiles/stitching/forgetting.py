"""Taking identities out of the stored graphs, as if they had never been seen."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from cdp.tenancy.models import Sandbox
from profiles.identity.neighbourhood import Held, Pair, Region, settle
from profiles.identity.rules import Rules
from profiles.sets import OWN, execute, select
from profiles.stitching import writing
from profiles.stitching.owners import assign
from profiles.stitching.refill import refill
from profiles.stitching.regions import Regions
from profiles.stitching.stitch import Stitched, stitched_of

_LINKS = f"""
DELETE FROM profiles_identitylink
WHERE {OWN} AND (a = ANY(%(keys)s) OR b = ANY(%(keys)s))
RETURNING a, b
"""
_IDENTITIES = f"""
DELETE FROM profiles_identity WHERE {OWN} AND id = ANY(%(keys)s) RETURNING founded
"""
_PROFILES = f"DELETE FROM profiles_profile WHERE {OWN} AND id = ANY(%(keys)s)"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What is left: whom the rest belongs to now, and which profiles are gone for good."""

    stitched: Stitched
    gone: frozenset[int]
    identities: int


def forget(sandbox: Sandbox, identities: Collection[int], rules: Rules, now: datetime) -> Forgotten:
    """Delete identities with their links, and work out the graphs of those they were linked to.

    A profile whose founder goes is gone with it; what else belonged to it gets the
    profile of its own oldest identity. The caller holds the sandbox's graphs.
    """
    keys = list(identities)
    links = [(a, b) for a, b in select(_LINKS, sandbox, keys=keys)]
    left = {end for pair in links for end in pair}.difference(keys)
    again: dict[Pair, Held | None] = dict(refill(sandbox, left, rules))
    regions = Regions(sandbox)
    region = regions.load({*left, *keys, *(end for pair in again for end in pair)})
    _take_out(region, keys)
    settled = settle(region, regions.load, again, rules, touched=left)
    owners = assign(settled.graphs, regions.known, regions.unjoined(settled))
    founded = [profile for (profile,) in select(_IDENTITIES, sandbox, keys=keys) if profile]
    writing.write_owners(sandbox, owners, {}, now)
    writing.write_pruned(sandbox, settled.links)
    execute(_PROFILES, sandbox, keys=founded)
    return Forgotten(stitched_of({}, owners, regions.known), frozenset(founded), len(keys))


def _take_out(region: Region, keys: Collection[int]) -> None:
    for key in keys:
        region.group.pop(key, None)
    gone = set(keys)
    for pair in [pair for pair in region.links if not gone.isdisjoint(pair)]:
        del region.links[pair]
