"""What the stitching tests share: identities as strategies, and a store kept in a dictionary."""

from dataclasses import dataclass, field
from itertools import combinations

from hypothesis import strategies as st

from profiles.identity.graph import Graph, Link, resolve
from profiles.identity.namespaces import STANDARD, Namespace, NamespaceType
from profiles.identity.neighbourhood import Held, Region, Settled, clusters, settle
from profiles.identity.rules import Identity, Rules, Setting, make_rules

CRM = Namespace("CRM", NamespaceType.CROSS_DEVICE, custom=True)
NAMESPACES = (*STANDARD, CRM)

Record = tuple[frozenset[Identity], int]

identities = st.builds(
    Identity,
    namespace=st.sampled_from(["CRM", "Email", "IDFA", "ECID"]),
    value=st.sampled_from("abc"),
)
records = st.tuples(st.frozensets(identities, min_size=1, max_size=4), st.integers(1, 12))
histories = st.lists(records, max_size=14)
rules = st.builds(
    lambda unique, limit: make_rules(
        NAMESPACES,
        [Setting(code, place, code in unique) for place, code in enumerate(["CRM", "Email"], 1)],
        limit,
    ),
    unique=st.sets(st.sampled_from(["CRM", "Email"])),
    limit=st.integers(2, 5),
)


def whole(history: list[Record], rules: Rules) -> set[frozenset[Identity]]:
    """Return the graphs of everything that was ever sent, worked out at once."""
    numbers: dict[Identity, int] = {}
    seen: dict[tuple[int, int], int] = {}
    for together, at in history:
        own = sorted(numbers.setdefault(i, len(numbers)) for i in sorted(together))
        for pair in combinations(own, 2):
            seen[pair] = max(at, seen.get(pair, at))
    names = {number: identity for identity, number in numbers.items()}
    graphs = resolve([Link(a, b, at) for (a, b), at in seen.items()], names, rules)
    return {frozenset(names[m] for m in graph.members) for graph in graphs}


@dataclass
class Store:
    """Stored identities, links and graphs, brought up to date batch by batch."""

    rules: Rules
    names: dict[int, Identity] = field(default_factory=dict)
    numbers: dict[Identity, int] = field(default_factory=dict)
    links: dict[tuple[int, int], Held] = field(default_factory=dict)
    group: dict[int, int] = field(default_factory=dict)
    graph_of: dict[int, Graph] = field(default_factory=dict)
    loads: int = 0

    def take(self, batch: list[Record]) -> None:
        changes: dict[tuple[int, int], Held | None] = {}
        touched: set[int] = set()
        for together, at in batch:
            own = sorted(self._number(identity) for identity in sorted(together))
            touched.update(own)
            for pair in combinations(own, 2):
                before = changes.get(pair) or self.links.get(pair)
                if before is None or before.seen < at:
                    changes[pair] = Held(at)
        self.keep(settle(self.load(touched), self.load, changes, self.rules))

    def cut(self, first: Identity, second: Identity) -> None:
        pair = tuple(sorted((self.numbers[first], self.numbers[second])))
        del self.links[pair]
        self.keep(settle(self.load(set(pair)), self.load, {pair: None}, self.rules))

    def keep(self, settled: Settled) -> None:
        self.links |= settled.links
        for pair, held in settled.links.items():
            if not held.by_a and not held.by_b:
                del self.links[pair]
        for members in clusters(settled.graphs):
            for member in members:
                self.group[member] = members[0]
        for graph in settled.graphs:
            for member in graph.members:
                self.graph_of[member] = graph

    def load(self, wanted: set[int]) -> Region:
        self.loads += 1
        groups = {self.group[number] for number in wanted}
        members = {n: g for n, g in self.group.items() if g in groups}
        links = {
            (a, b): held
            for (a, b), held in self.links.items()
            if (a in members and held.by_a) or (b in members and held.by_b)
        }
        ends = {end for pair in links for end in pair} | set(members)
        return Region({end: self.names[end] for end in ends}, members, links)

    def graphs(self) -> set[frozenset[Identity]]:
        return {frozenset(self.names[m] for m in g.members) for g in self.graph_of.values()}

    def _number(self, identity: Identity) -> int:
        if identity not in self.numbers:
            number = len(self.numbers)
            self.numbers[identity] = number
            self.names[number] = identity
            self.group[number] = number
        return self.numbers[identity]
