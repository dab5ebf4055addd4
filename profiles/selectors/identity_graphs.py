"""Whole identity graphs: who belongs together, and by which links."""

from collections.abc import Sequence
from dataclasses import dataclass

from cdp.tenancy.models import Sandbox
from profiles.identity.rules import Identity
from profiles.ids import profile_key
from profiles.selectors.graphs import ShownLink, list_links
from profiles.selectors.people import Person, people_of_identities


@dataclass(frozen=True, slots=True)
class IdentityGraph:
    """One graph, and which of its identities was asked about."""

    asked: Identity
    profile_id: str | None
    members: list[Identity]
    links: list[ShownLink]


def graphs_of(
    sandbox: Sandbox, identities: Sequence[Identity], *, links: bool
) -> list[IdentityGraph]:
    """Return the graph of each identity; one that nobody knows has none."""
    people = people_of_identities(sandbox, identities)
    return [
        _graph(sandbox, identity, person, links)
        for identity, person in zip(identities, people, strict=True)
    ]


def _graph(sandbox: Sandbox, asked: Identity, person: Person | None, links: bool) -> IdentityGraph:
    if person is None:
        return IdentityGraph(asked, None, [], [])
    found = list_links(sandbox, [known.id for known in person.identities]) if links else []
    members = [known.identity for known in person.identities]
    return IdentityGraph(asked, profile_key(person.id), members, found)
