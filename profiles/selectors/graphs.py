"""The links of a graph, and why two identities are one person."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from cdp.tenancy.models import Sandbox
from profiles.errors import IdentityUnknown
from profiles.identity.chain import chain
from profiles.identity.graph import Link
from profiles.identity.rules import Identity
from profiles.models import Identity as IdentityRow
from profiles.models import IdentityLink
from profiles.selectors.identities import members_of

MOST_LINKS = 1_000


@dataclass(frozen=True, slots=True)
class ShownLink:
    """A stored link. `state` tells whether it joins, and if not, why."""

    first: Identity
    second: Identity
    first_seen: datetime
    last_seen: datetime
    dataset_ids: list[str]
    record: str
    state: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether two identities are one person, and the links that make them so."""

    same_profile: bool
    links: list[ShownLink]


def get_identity(sandbox: Sandbox, identity: Identity) -> IdentityRow:
    """Return a stored identity. Raises `IdentityUnknown`."""
    row = (
        IdentityRow.objects.for_sandbox(sandbox)
        .filter(namespace=identity.namespace, value=identity.value)
        .first()
    )
    if row is None:
        raise IdentityUnknown(f"{identity.namespace}:{identity.value} has never been seen here.")
    return row


def list_links(sandbox: Sandbox, identities: Collection[int]) -> list[ShownLink]:
    """Return the links of these identities, the newest first, those to others included."""
    rows = list(
        IdentityLink.objects.for_sandbox(sandbox)
        .filter(Q(a__in=identities) | Q(b__in=identities))
        .order_by("-last_seen", "a", "b")[:MOST_LINKS]
    )
    return _shown(sandbox, rows)


def explain(sandbox: Sandbox, first: Identity, second: Identity) -> Explanation:
    """Return the chain of links between two identities. Raises `IdentityUnknown`."""
    start, end = get_identity(sandbox, first), get_identity(sandbox, second)
    if start.profile_id != end.profile_id:
        return Explanation(same_profile=False, links=[])
    inside = list(members_of(sandbox, [start.profile_id]))
    rows = {
        (row.a, row.b): row
        for row in IdentityLink.objects.for_sandbox(sandbox).filter(
            a__in=inside, b__in=inside, by_a=True, by_b=True
        )
    }
    links = (Link(a, b, _milliseconds(row.last_seen)) for (a, b), row in rows.items())
    found = chain(links, start.pk, end.pk) or []
    return Explanation(True, _shown(sandbox, [rows[link.a, link.b] for link in found]))


def _shown(sandbox: Sandbox, rows: Iterable[IdentityLink]) -> list[ShownLink]:
    rows = list(rows)
    ends = {end for row in rows for end in (row.a, row.b)}
    known = {row.pk: row for row in IdentityRow.objects.for_sandbox(sandbox).filter(pk__in=ends)}
    return [_one(row, known) for row in rows]


def _one(row: IdentityLink, known: Mapping[int, IdentityRow]) -> ShownLink:
    a, b = known[row.a], known[row.b]
    return ShownLink(
        first=Identity(a.namespace, a.value),
        second=Identity(b.namespace, b.value),
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        dataset_ids=row.datasets,
        record=row.record,
        state=_state(row, same=a.profile_id == b.profile_id),
    )


def _state(row: IdentityLink, *, same: bool) -> str:
    if row.cut_at is not None:
        return "cut"
    if not (row.by_a and row.by_b):
        return "dropped"
    return "joins" if same else "refused"


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
