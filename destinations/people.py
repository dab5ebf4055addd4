"""What is known of the people whose changes are sent."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cdp.tenancy.models import Sandbox
from profiles.selectors.people import people_of_ids
from profiles.selectors.rules import default_policy


@dataclass(frozen=True, slots=True)
class Person:
    """A profile's merged attributes, and its identities by namespace."""

    document: Mapping[str, Any] = field(default_factory=dict)
    identities: Mapping[str, Sequence[str]] = field(default_factory=dict)


NOBODY = Person()


def read_people(sandbox: Sandbox, profiles: Collection[int]) -> dict[int, Person]:
    """Return people by profile id, in two queries however many they are.

    A profile that has been merged into another is left out: what it was known by is
    now the survivor's, and a removal must not reach the survivor in its place.
    """
    policy = default_policy(sandbox)
    wanted = sorted(profiles)
    people = {}
    for asked, found in zip(wanted, people_of_ids(sandbox, wanted), strict=True):
        if found is None or found.id != asked:
            continue
        seen = found.seen_by(policy)
        identities: dict[str, list[str]] = {}
        for known in seen.identities:
            identities.setdefault(known.identity.namespace, []).append(known.identity.value)
        people[asked] = Person(seen.attributes(policy), identities)
    return people
