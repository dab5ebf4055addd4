"""Whose each identity is, once its graph is known.

A graph's profile is the one that its oldest identity founded. So a merge keeps the
older id, and what parts again gets back the profile it had; only an oldest
identity that never stood for itself founds a new one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from profiles.identity.graph import Graph
from profiles.stitching.known import PROFILE_NUMBERS, Known, take_numbers


@dataclass(frozen=True, slots=True)
class Owners:
    """What changes hands.

    `moved` holds identities as they are to be stored, `founded` new profiles with
    their founders, and `vanished` those that no longer stand for anybody, with the profile
    that took over. `members` are those of the profiles whose identities are other ones now,
    one that had vanished included. Of all that were looked into, `clear` are those with no
    link that does not join, `disputed` the others.
    """

    moved: list[Known] = field(default_factory=list)
    founded: dict[int, int] = field(default_factory=dict)
    vanished: dict[int, int] = field(default_factory=dict)
    members: dict[int, Sequence[int]] = field(default_factory=dict)
    clear: set[int] = field(default_factory=set)
    disputed: set[int] = field(default_factory=set)

    def __or__(self, other: "Owners") -> "Owners":
        """Return what changes hands in either; nothing is in both."""
        return Owners(
            moved=self.moved + other.moved,
            founded=self.founded | other.founded,
            vanished=self.vanished | other.vanished,
            members=self.members | other.members,
            clear=self.clear | other.clear,
            disputed=self.disputed | other.disputed,
        )


def assign(
    graphs: Iterable[Graph], known: Mapping[int, Known], unjoined: AbstractSet[int]
) -> Owners:
    """Give every graph its profile, and tell what that changes.

    `known` is what was stored of them, and of identities that are forgotten since;
    `unjoined` are identities with a link that does not join.
    """
    graphs = list(graphs)
    founders = [g.members[0] for g in graphs if known[g.members[0]].founded is None]
    numbers = take_numbers(PROFILE_NUMBERS, len(founders))
    founded = dict(zip(founders, numbers, strict=True))
    moved: list[Known] = []
    before: set[int] = set()
    owners: dict[int, int] = {}
    disputed: set[int] = set()
    for graph in graphs:
        founder = graph.members[0]
        profile = known[founder].founded or founded[founder]
        if graph.crowd is not None or not unjoined.isdisjoint(graph.members):
            disputed.add(profile)
        for member in graph.members:
            was = known[member]
            now = Known(member, profile, founded.get(member, was.founded), graph.crowd)
            before.add(was.profile)
            owners[member] = profile
            if now != was:
                moved.append(now)
    standing = set(owners.values())
    founder_of = {k.founded: k.id for k in known.values() if k.founded is not None}
    return Owners(
        moved=moved,
        founded={profile: founder for founder, profile in founded.items()},
        vanished={
            gone: owners[founder_of[gone]]
            for gone in before - standing - {0}
            if founder_of.get(gone) in owners  # else it is forgotten, and the profile with it
        },
        members=_regrouped(graphs, owners, known),
        clear=standing - disputed,
        disputed=disputed,
    )


def _regrouped(
    graphs: Iterable[Graph], owners: Mapping[int, int], known: Mapping[int, Known]
) -> dict[int, Sequence[int]]:
    """Return the profiles with other members than they were stored with, and the members."""
    stored: dict[int, set[int]] = defaultdict(set)
    for one in known.values():
        stored[one.profile].add(one.id)
    now = {owners[graph.members[0]]: graph.members for graph in graphs}
    return {profile: own for profile, own in now.items() if stored[profile] != set(own)}
