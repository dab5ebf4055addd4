"""Bring stored graphs up to date after a few links changed, without reading all links.

`settle` gives what `graph.resolve` would give over everything stored, from the
graphs that the changes touch. It looks further only where it must: a refused
link leads to a neighbouring graph, and when a graph has changed, what was
refused at its border may now be right. So it asks for those neighbours, too,
until what changed has no border left that it has not seen.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from profiles.identity.graph import Graph, Link, busy_ends, overfull, resolve
from profiles.identity.rules import Identity, Rules

Pair = tuple[int, int]
"""Two identities, the older one first."""


class Held(NamedTuple):
    """A stored link: when it was last seen, and which of its ends still keep it."""

    seen: int
    by_a: bool = True
    by_b: bool = True

    @property
    def counts(self) -> bool:
        """Whether it can join its ends: both must keep it."""
        return self.by_a and self.by_b

    def without(self, *, of_a: bool) -> "Held":
        """Return it as it is after one of its ends has dropped it."""
        return Held(self.seen, self.by_a and not of_a, self.by_b and of_a)

    def kept(self, *, by_a: bool) -> "Held":
        """Return it as it is after one of its ends has taken it up again."""
        return Held(self.seen, self.by_a or by_a, self.by_b or not by_a)


@dataclass(slots=True)
class Region:
    """A part of what is stored: whole graphs, and every link that one of their members keeps.

    `group` tells for each member in which graph (or crowd) it is stored; the
    far ends of links that leave the region are in `names` only.
    """

    names: dict[int, Identity] = field(default_factory=dict)
    group: dict[int, Hashable] = field(default_factory=dict)
    links: dict[Pair, Held] = field(default_factory=dict)

    def add(self, other: "Region") -> None:
        """Take in another part."""
        self.names |= other.names
        self.group |= other.group
        self.links = other.links | self.links


Load = Callable[[set[int]], Region]
"""Read the whole graphs in which these identities are stored."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The graphs of a region as they are now, and the links whose stored form changes."""

    graphs: list[Graph]
    links: dict[Pair, Held]
    region: Region

    def unjoined(self) -> set[int]:
        """Return the identities with a link that does not join: refused, or dropped by an end."""
        graph_of = {node: place for place, g in enumerate(self.graphs) for node in g.members}
        return {
            end
            for (a, b), held in self.region.links.items()
            if not held.counts or graph_of.get(a) != graph_of.get(b)
            for end in (a, b)
        }


def settle(
    region: Region,
    load: Load,
    changes: Mapping[Pair, Held | None],
    rules: Rules,
    touched: Iterable[int] = (),
) -> Settled:
    """Apply changed links to a region that holds their ends; None takes a link away.

    `touched` are further identities whose graphs may be other ones now.
    """
    dirty = {node for pair in changes for node in pair}.union(touched)
    links = dict(changes)
    _apply(region, links)
    pruned = _prune(region, dirty, rules)
    links |= pruned
    _apply(region, pruned)
    dirty |= {node for pair in pruned for node in pair}
    while True:
        graphs = resolve(_inner_links(region), _inner_names(region), rules)
        border = _border(region, _changed(region, graphs, dirty))
        if not border:
            return Settled(graphs, {p: h for p, h in links.items() if h}, region)
        region.add(load(border))


def _apply(region: Region, changes: Mapping[Pair, Held | None]) -> None:
    for pair, held in changes.items():
        if held is None:
            region.links.pop(pair, None)
        else:
            region.links[pair] = held


def _prune(region: Region, dirty: set[int], rules: Rules) -> dict[Pair, Held]:
    """Let each touched identity drop the links beyond those it keeps."""
    busy = busy_ends(region.links, rules) & dirty
    if not busy:
        return {}
    kept: dict[int, list[Link]] = defaultdict(list)
    for (a, b), held in region.links.items():
        if a in busy and held.by_a:
            kept[a].append(Link(a, b, held.seen))
        if b in busy and held.by_b:
            kept[b].append(Link(a, b, held.seen))
    pruned: dict[Pair, Held] = {}
    for node, lost in overfull(kept, region.names, rules):
        for a, b, _ in lost:
            held = pruned.get((a, b)) or region.links[a, b]
            pruned[a, b] = held.without(of_a=node == a)
    return pruned


def _inner_names(region: Region) -> dict[int, Identity]:
    return {node: region.names[node] for node in region.group}


def _inner_links(region: Region) -> list[Link]:
    inside = region.group
    return [
        Link(a, b, held.seen)
        for (a, b), held in region.links.items()
        if held.counts and a in inside and b in inside
    ]


def clusters(graphs: Iterable[Graph]) -> list[tuple[int, ...]]:
    """Put graphs that were cut from one crowd together again."""
    whole: dict[int, list[int]] = defaultdict(list)
    for graph in graphs:
        whole[graph.members[0] if graph.crowd is None else graph.crowd] += graph.members
    return [tuple(sorted(members)) for members in whole.values()]


def _changed(region: Region, graphs: list[Graph], dirty: set[int]) -> set[int]:
    """Return members of graphs that hold a changed link or other members than are stored."""
    sizes: dict[Hashable, int] = defaultdict(int)
    for group in region.group.values():
        sizes[group] += 1
    changed: set[int] = set()
    for members in clusters(graphs):
        group = region.group[members[0]]
        same = sizes[group] == len(members) and all(region.group[m] == group for m in members)
        if not same or not dirty.isdisjoint(members):
            changed.update(members)
    return changed


def _border(region: Region, changed: set[int]) -> set[int]:
    inside = region.group
    border = set()
    for (a, b), held in region.links.items():
        if held.counts and (a in inside) != (b in inside):
            near, far = (a, b) if a in inside else (b, a)
            if near in changed:
                border.add(far)
    return border
