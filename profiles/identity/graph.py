"""Which identities are one person: a pure function of the stored links.

Nothing here depends on the order in which links arrived, so batches of any
cut give the same graphs, and a replay gives them again. Three rules:

1. An identity keeps its newest links, so many of each eviction class.
2. Links are walked newest first. One is refused if it would join two values
   of a unique namespace, or more identities of one class than a graph holds.
3. A graph that is still too large is walked again, links among person ids
   first, then those of devices, then those of cookies: the oldest cookies
   find it full.

A refused link stays refused however far the walk goes on, because what spoke
against it only grows. That is why `neighbourhood.py` may look at a part of
all links and be right about the whole.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from operator import itemgetter
from typing import NamedTuple

from profiles.identity.namespaces import COOKIE
from profiles.identity.rules import Identity, Rules


class Link(NamedTuple):
    """Two identities that were seen in one record, and when last (milliseconds)."""

    a: int
    b: int
    seen: int


@dataclass(frozen=True, slots=True)
class Graph:
    """Identities of one person, sorted. `crowd` names the over-full graph it was cut from."""

    members: tuple[int, ...]
    crowd: int | None = None


Names = Mapping[int, Identity]
"""Every identity in question by its number; numbers grow with age."""

OrderKey = tuple[int, int, int, int, Identity, Identity]


def resolve(links: Iterable[Link], names: Names, rules: Rules) -> list[Graph]:
    """Return the graph of every identity in `names`; one without links is alone in its own."""
    kept = keep_newest(links, names, rules)
    clear, disputed = _gather(kept, names, rules)
    graphs = [Graph(tuple(members)) for members in clear]
    for members, own in disputed:
        graphs += _settle(members, own, names, rules)
    return graphs


def keep_newest(links: Iterable[Link], names: Names, rules: Rules) -> list[Link]:
    """Leave out links that one of their ends no longer keeps."""
    every = links if isinstance(links, list) else list(links)
    busy = busy_ends(every, rules)
    if not busy:
        return every
    held: dict[int, list[Link]] = {node: [] for node in busy}
    for link in every:
        for node in link[:2]:
            if node in busy:
                held[node].append(link)
    dropped = {link[:2] for _, lost in overfull(held, names, rules) for link in lost}
    return [link for link in every if link[:2] not in dropped]


def busy_ends(links: Collection[tuple[int, ...]], rules: Rules) -> set[int]:
    """Return the identities that may hold more links than they keep; `overfull` knows."""
    degree = Counter(map(itemgetter(0), links))
    degree.update(map(itemgetter(1), links))
    return {node for node, count in degree.items() if count > rules.limit}


def overfull(
    held: Mapping[int, Sequence[Link]], names: Names, rules: Rules
) -> Iterator[tuple[int, list[Link]]]:
    """Yield identities that hold more links than they keep, with the ones they lose."""
    for node, links in held.items():
        if len(links) <= rules.limit:
            continue
        by_class: dict[int, list[Link]] = defaultdict(list)
        for link in links:
            by_class[_class_of(link, names, rules)].append(link)
        lost = [link for own in by_class.values() for link in _beyond(own, names, rules)]
        if lost:
            yield node, lost


def _beyond(links: list[Link], names: Names, rules: Rules) -> list[Link]:
    if len(links) <= rules.limit:
        return []
    kept = nsmallest(rules.limit, links, key=lambda link: _order(link, names, rules))
    return list(set(links).difference(kept))


def _class_of(link: Link, names: Names, rules: Rules) -> int:
    return max(rules.class_of(names[link.a].namespace), rules.class_of(names[link.b].namespace))


def _order(link: Link, names: Names, rules: Rules, by_class: bool = False) -> OrderKey:
    """Newest first; ties by namespace priority, then by what the ids themselves say.

    The numbers of identities would not do for a tie: they tell who came first.
    """
    first, second = sorted((names[link.a], names[link.b]))
    low, high = sorted((rules.rank_of(first.namespace), rules.rank_of(second.namespace)))
    ahead = _class_of(link, names, rules) if by_class else 0
    return ahead, -link.seen, low, high, first, second


def _gather(
    links: list[Link], names: Names, rules: Rules
) -> tuple[list[list[int]], list[tuple[list[int], list[Link]]]]:
    """Join whatever is linked, and tell what may stay so from what must be settled."""
    parent = _join_all(links, names)
    members: dict[int, list[int]] = defaultdict(list)
    for node in sorted(parent):
        members[_root(parent, node)].append(node)
    disputed = {r: own for r, own in members.items() if _breaks_rules(own, names, rules)}
    clear = [own for r, own in members.items() if r not in disputed]
    if not disputed:
        return clear, []
    links_of: dict[int, list[Link]] = defaultdict(list)
    for link in links:
        if (root := parent[link.a]) in disputed:
            links_of[root].append(link)
    return clear, [(own, links_of[root]) for root, own in disputed.items()]


def _join_all(links: list[Link], names: Names) -> dict[int, int]:
    """Union-find over all links at once; inlined, for this loop is the price of a large load."""
    parent = {node: node for node in names}
    for a, b, _ in links:
        while (up := parent[a]) != a:
            parent[a] = a = parent[up]  # noqa: PLW2901 - climb, halving the path
        while (up := parent[b]) != b:
            parent[b] = b = parent[up]  # noqa: PLW2901
        if a < b:
            parent[b] = a
        elif b < a:
            parent[a] = b
    return parent


def _root(parent: dict[int, int], node: int) -> int:
    """Return a node's root and write it down: every later look at `parent` is one step."""
    root = node
    while (up := parent[root]) != root:
        root = up
    parent[node] = root
    return root


def _breaks_rules(members: Sequence[int], names: Names, rules: Rules) -> bool:
    if len(members) > rules.limit:
        return True
    if not rules.unique or len(members) == 1:
        return False
    single = [ns for ns in (names[node].namespace for node in members) if ns in rules.unique]
    return len(single) > len(set(single))


def _settle(
    members: Sequence[int], links: list[Link], names: Names, rules: Rules
) -> Iterator[Graph]:
    """Cut what is linked too widely into graphs that hold the rules."""
    ordered = sorted(links, key=lambda link: _order(link, names, rules))
    for crowd, own in _walk(members, ordered, names, rules, _Room(by_class=True)):
        if len(crowd) <= rules.limit:
            yield Graph(tuple(crowd))
            continue
        by_class = sorted(own, key=lambda link: _order(link, names, rules, by_class=True))
        for part, _ in _walk(crowd, by_class, names, rules, _Room(by_class=False)):
            yield Graph(tuple(part), crowd=crowd[0])


class _Room(NamedTuple):
    """Whether the limit of a graph counts all its identities or each class for itself."""

    by_class: bool

    def holds(self, counts: list[int], limit: int) -> bool:
        return max(counts) <= limit if self.by_class else sum(counts) <= limit


def _walk(
    members: Sequence[int], links: list[Link], names: Names, rules: Rules, room: _Room
) -> list[tuple[list[int], list[Link]]]:
    """Accept links in the given order where the rules allow, and return the parts with theirs."""
    parent = {node: node for node in members}
    counts = {node: [0] * (COOKIE + 1) for node in members}
    single: dict[int, set[str]] = {}
    for node in members:
        namespace = names[node].namespace
        counts[node][rules.class_of(namespace)] = 1
        single[node] = {namespace} & rules.unique
    for a, b, _ in links:
        a, b = _root(parent, a), _root(parent, b)  # noqa: PLW2901 - the ends stand for their parts
        joined = [x + y for x, y in zip(counts[a], counts[b], strict=True)]
        if a == b or single[a] & single[b] or not room.holds(joined, rules.limit):
            continue
        a, b = min(a, b), max(a, b)  # noqa: PLW2901
        parent[b] = a
        counts[a] = joined
        single[a] |= single[b]
    parts: dict[int, tuple[list[int], list[Link]]] = defaultdict(lambda: ([], []))
    for node in members:
        parts[_root(parent, node)][0].append(node)
    for link in links:
        if parent[link.a] == parent[link.b]:
            parts[parent[link.a]][1].append(link)
    return list(parts.values())
