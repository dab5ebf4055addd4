"""Bring the stored graphs up to date with what a batch has seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from cdp.tenancy.models import Sandbox
from profiles.identity.neighbourhood import Held, Pair, Region, Settled, settle
from profiles.identity.rules import Identity, Rules
from profiles.stitching import writing
from profiles.stitching.joining import join
from profiles.stitching.known import Known, find_or_number
from profiles.stitching.owners import Owners, assign
from profiles.stitching.regions import Regions
from profiles.stitching.sightings import Sightings, Together


@dataclass(frozen=True, slots=True)
class Stitched:
    """Whose everything is now.

    `numbers` are the identities asked about and `profile_of` their profiles;
    `rehomed` tells which stored identities have another profile than before,
    `regrouped` which profiles have other identities, `founded` which are new and
    `vanished` which have been taken over, and by whom.
    """

    numbers: Mapping[Identity, int] = field(default_factory=dict)
    profile_of: Mapping[int, int] = field(default_factory=dict)
    rehomed: Mapping[int, int] = field(default_factory=dict)
    regrouped: frozenset[int] = frozenset()
    founded: frozenset[int] = frozenset()
    vanished: Mapping[int, int] = field(default_factory=dict)


def stitch(sandbox: Sandbox, sightings: Sightings, rules: Rules, now: datetime) -> Stitched:
    """Store new identities and links, and re-home whoever belongs to another profile now.

    What no rule can be against is joined as it is; only of the rest are the stored graphs
    read. The caller holds the sandbox's graphs (`locks.py`).
    """
    known = find_or_number(sandbox, sightings.identities())
    seen = _numbered(sightings, known)
    joined = join(sandbox, known, seen, rules)
    regions = Regions(sandbox)
    region = _region_of(regions, known, joined.others)
    for pair in regions.cut.intersection(seen):
        del seen[pair]
    settled = settle(region, regions.load, _changes(region, seen), rules)
    owners = joined.owners | assign(settled.graphs, regions.known, regions.unjoined(settled))
    new = {one.id: identity for identity, one in known.items() if one.is_new}
    writing.write_owners(sandbox, owners, new, now)
    writing.rehome(sandbox, joined.rehomed, joined.owners.vanished)
    writing.write_links(sandbox, seen, settled.region.links, new)
    writing.write_pruned(sandbox, {p: h for p, h in settled.links.items() if p not in seen})
    return stitched_of(known, owners, regions.known, joined.rehomed)


def resettle(
    sandbox: Sandbox, changes: Mapping[Pair, Held | None], rules: Rules, now: datetime
) -> Stitched:
    """Work out the graphs anew around links that an operator changed; their rows are written."""
    regions = Regions(sandbox)
    region = regions.load({end for pair in changes for end in pair})
    return _resettled(sandbox, regions, settle(region, regions.load, changes, rules), now)


def regraph(sandbox: Sandbox, identities: set[int], rules: Rules, now: datetime) -> Stitched:
    """Work out anew the graphs of these identities and of all that border on them.

    For new linking rules, which may judge any stored link differently.
    """
    regions = Regions(sandbox)
    region = regions.load(identities)
    while border := _beyond(region):
        region.add(regions.load(border))
    stored = {pair: held for pair, held in region.links.items() if held.counts}
    settled = settle(region, regions.load, stored, rules)
    pruned = {pair: held for pair, held in settled.links.items() if held != stored.get(pair)}
    return _resettled(sandbox, regions, replace(settled, links=pruned), now)


def _resettled(sandbox: Sandbox, regions: Regions, settled: Settled, now: datetime) -> Stitched:
    owners = assign(settled.graphs, regions.known, regions.unjoined(settled))
    writing.write_owners(sandbox, owners, {}, now)
    writing.write_pruned(sandbox, settled.links)
    return stitched_of({}, owners, regions.known)


def _beyond(region: Region) -> set[int]:
    ends = {end for pair, held in region.links.items() if held.counts for end in pair}
    return ends.difference(region.group)


def _numbered(sightings: Sightings, known: Mapping[Identity, Known]) -> dict[Pair, Together]:
    numbered = {}
    for (first, second), together in sightings.pairs.items():
        a, b = known[first].id, known[second].id
        numbered[(a, b) if a < b else (b, a)] = together
    return numbered


def _region_of(regions: Regions, known: Mapping[Identity, Known], units: set[int]) -> Region:
    """Read what is stored around these units, and add those of them that are new."""
    if not units:
        return Region()
    rest = {identity: one for identity, one in known.items() if one.unit in units}
    region = regions.around(one for one in rest.values() if not one.is_new)
    for identity, one in rest.items():
        if one.is_new:
            regions.add_new(region, identity, one)
    return region


def _changes(region: Region, seen: Mapping[Pair, Together]) -> dict[Pair, Held | None]:
    """Return the links of the region that are new or newer than they were stored."""
    return {
        pair: Held(together.last)
        for pair, together in seen.items()
        if pair[0] in region.group
        and ((stored := region.links.get(pair)) is None or stored.seen < together.last)
    }


def stitched_of(
    asked: Mapping[Identity, Known],
    owners: Owners,
    before: Mapping[int, Known],
    rehomed: Mapping[int, int] = MappingProxyType({}),
) -> Stitched:
    """Tell what became of the identities asked about, and of those stored before.

    `before` is what is known of identities that were looked into; `rehomed` have been, unseen.
    """
    moved = {**{m.id: m.profile for m in owners.moved}, **rehomed}
    return Stitched(
        numbers={identity: one.id for identity, one in asked.items()},
        profile_of={one.id: moved.get(one.id, one.profile) for one in asked.values()},
        rehomed={
            **{
                key: moved[key]
                for key, was in before.items()
                if not was.is_new and moved.get(key, was.profile) != was.profile
            },
            **rehomed,
        },
        regrouped=frozenset(owners.members),
        founded=frozenset(owners.founded),
        vanished=owners.vanished,
    )
