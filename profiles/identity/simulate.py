"""What graphs a list of events would give under settings one has not dared to save yet."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from profiles.identity.graph import Graph, Link, keep_newest, resolve
from profiles.identity.rules import Identity, Rules


@dataclass(frozen=True, slots=True)
class Sighting:
    """Identities seen together, and when (milliseconds)."""

    identities: tuple[Identity, ...]
    at: int


@dataclass(frozen=True, slots=True)
class SimulatedLink:
    """A link of the simulation; a refused one joins nothing."""

    a: Identity
    b: Identity
    seen: int
    accepted: bool


@dataclass(frozen=True, slots=True)
class Simulation:
    """The graphs, largest first, and what became of each link."""

    graphs: list[tuple[Identity, ...]]
    links: list[SimulatedLink]


def simulate(sightings: Iterable[Sighting], rules: Rules) -> Simulation:
    """Return the graphs that these sightings alone would make."""
    numbers: dict[Identity, int] = {}
    seen: dict[tuple[int, int], int] = {}
    for sighting in sorted(sightings, key=lambda s: s.at):
        own = sorted({numbers.setdefault(i, len(numbers)) for i in sighting.identities})
        for pair in combinations(own, 2):
            seen[pair] = sighting.at
    names = {number: identity for identity, number in numbers.items()}
    links = [Link(a, b, at) for (a, b), at in seen.items()]
    graphs = resolve(links, names, rules)
    return Simulation(
        graphs=[
            tuple(names[m] for m in graph.members)
            for graph in sorted(graphs, key=lambda g: (-len(g.members), g.members))
        ],
        links=_judged(links, graphs, names, rules),
    )


def _judged(
    links: list[Link], graphs: list[Graph], names: dict[int, Identity], rules: Rules
) -> list[SimulatedLink]:
    graph_of = {member: place for place, g in enumerate(graphs) for member in g.members}
    kept = set(keep_newest(links, names, rules))
    return [
        SimulatedLink(
            names[link.a],
            names[link.b],
            link.seen,
            link in kept and graph_of[link.a] == graph_of[link.b],
        )
        for link in sorted(links, key=lambda link: -link.seen)
    ]
