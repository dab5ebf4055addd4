"""Joins that no rule can be against: of the graphs that become one, nothing need be read.

While every link of some graphs joins, and no limit and no unique namespace stands against
their becoming one, they become one, whatever their links are. So most of what a batch brings
costs as much as its own links, however large the graphs have grown.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cdp.tenancy.models import Sandbox
from profiles.identity.neighbourhood import Pair
from profiles.identity.rules import Identity, Rules
from profiles.sets import OWN, select
from profiles.stitching.known import PROFILE_NUMBERS, Known, take_numbers
from profiles.stitching.owners import Owners

# While nothing need be unique, PostgreSQL leaves the identities unread.
_CLEAR = f"""
SELECT stored.id, stored.founder, stored.members, CASE WHEN %(unique)s::text[] <> '{{}}' THEN (
    SELECT array_agg(one.namespace) FROM profiles_identity AS one
    WHERE one.id = ANY(stored.members) AND one.namespace = ANY(%(unique)s) AND one.{OWN}
) END
FROM profiles_profile AS stored
WHERE stored.{OWN} AND stored.id = ANY(%(keys)s) AND stored.clear
"""


class Clear(NamedTuple):
    """A graph of which every link joins: its oldest identity, all of them, its unique namespaces."""

    founder: int
    members: Sequence[int]
    single: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Joined:
    """What could be joined: who owns what now, and the new owners of those who had another one.

    `others` are the units (`Known.unit`) that must be looked into.
    """

    owners: Owners = field(default_factory=Owners)
    rehomed: dict[int, int] = field(default_factory=dict)
    others: set[int] = field(default_factory=set)


def join(
    sandbox: Sandbox, known: Mapping[Identity, Known], linked: Iterable[Pair], rules: Rules
) -> Joined:
    """Join whatever is clear. Nothing is written."""
    clear = {
        -one.id: Clear(
            one.id, (one.id,), (name.namespace,) if name.namespace in rules.unique else ()
        )
        for name, one in known.items()
        if one.is_new
    }
    unit_of = {one.id: one.unit for one in known.values()}
    groups = list(_groups([(unit_of[a], unit_of[b]) for a, b in linked], clear))
    stored = [unit for group in groups for unit in group if unit > 0]
    clear |= _read(sandbox, stored, rules)
    free, others = [], set()
    for group in groups:
        if _may_join([clear.get(unit) for unit in group], rules):
            free.append(group)
        else:
            others.update(group)
    return Joined(*_own(free, clear), others)


def _groups(pairs: Iterable[tuple[int, int]], alone: Iterable[int]) -> Iterator[list[int]]:
    """Yield the units that links join, and each of the others."""
    parent = {unit: unit for unit in alone}
    for pair in pairs:
        low, high = sorted(_root(parent, unit) for unit in pair)
        parent[high] = low
    groups = defaultdict(list)
    for unit in parent:
        groups[_root(parent, unit)].append(unit)
    yield from groups.values()


def _root(parent: dict[int, int], unit: int) -> int:
    up = parent.setdefault(unit, unit)
    while up != unit:
        parent[unit] = parent[up]  # halving the path
        unit, up = up, parent[up]
    return unit


def _read(sandbox: Sandbox, profiles: Sequence[int], rules: Rules) -> dict[int, Clear]:
    if not profiles:
        return {}
    rows = select(_CLEAR, sandbox, keys=list(profiles), unique=list(rules.unique))
    return {key: Clear(*rest) for key, *rest in rows}


def _may_join(parts: Sequence[Clear | None], rules: Rules) -> bool:
    """Tell whether parts may become one: a graph within the limit drops no link, either."""
    size = 0
    single: list[str] = []
    for part in parts:
        if part is None:
            return False
        size += len(part.members)
        if part.single:
            single += part.single
    return size <= rules.limit and len(single) == len(set(single))


def _own(
    groups: Sequence[Sequence[int]], clear: Mapping[int, Clear]
) -> tuple[Owners, dict[int, int]]:
    """Give each group the profile of its oldest identity, a new one if that is new itself."""
    owners = Owners()
    rehomed: dict[int, int] = {}
    founding = sorted((group for group in groups if max(group) < 0), key=max, reverse=True)
    numbers = take_numbers(PROFILE_NUMBERS, len(founding))
    for heir, group in zip(numbers, founding, strict=True):
        owners.founded[heir] = founder = -max(group)
        owners.members[heir] = members = sorted(-unit for unit in group)
        owners.moved.extend(Known(key, heir, heir if key == founder else None) for key in members)
    owners.clear.update(owners.founded)
    for group in groups:
        profiles = [unit for unit in group if unit > 0]
        if not profiles or len(group) == 1:
            continue
        heir = min(profiles, key=lambda unit: clear[unit].founder)
        owners.members[heir] = sorted([key for unit in group for key in clear[unit].members])
        owners.moved.extend(Known(-unit, heir) for unit in group if unit < 0)
        for unit in profiles:
            if unit != heir:
                owners.vanished[unit] = heir
                rehomed |= dict.fromkeys(clear[unit].members, heir)
    return owners, rehomed
