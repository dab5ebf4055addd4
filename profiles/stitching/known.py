"""What is stored of identities: their numbers, and whose they are."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection

from cdp.tenancy.models import Sandbox
from profiles.identity.rules import Identity
from profiles.sets import select, texts_array

# LATERAL and LIMIT: one look into the index for each, whatever the statistics say.
_FIND = """
SELECT given.place - 1, known.id, known.profile_id, known.founded, known.crowd
FROM unnest(%(namespaces)s::text[], %(values)s::text[])
    WITH ORDINALITY AS given(namespace, value, place)
CROSS JOIN LATERAL (
    SELECT * FROM profiles_identity AS stored
    WHERE stored.sandbox_id = %(sandbox)s
        AND stored.namespace = given.namespace AND stored.value = given.value
    LIMIT 1
) AS known
"""
_NUMBERS = "SELECT nextval(%s) FROM generate_series(1, %s)"
IDENTITY_NUMBERS = "profiles_identity_id_seq"
PROFILE_NUMBERS = "profiles_profile_id_seq"


class Known(NamedTuple):
    """One stored identity: whose it is, and what it founded; `profile` is 0 while it is new."""

    id: int
    profile: int = 0
    founded: int | None = None
    crowd: int | None = None

    @property
    def is_new(self) -> bool:
        """Whether it is only about to be stored."""
        return self.profile == 0

    @property
    def unit(self) -> int:
        """What it belongs to as a whole: its profile, or itself while it is new."""
        return self.profile or -self.id


def find(sandbox: Sandbox, identities: Iterable[Identity]) -> dict[Identity, Known]:
    """Return those of the identities that are stored, in one query."""
    wanted = list(identities)
    if not wanted:
        return {}
    namespaces, values = zip(*wanted, strict=True)
    found = select(
        _FIND,
        sandbox,
        namespaces=texts_array(namespaces),
        values=texts_array(values),
    )
    return {wanted[place]: Known(*rest) for place, *rest in found}


def find_or_number(sandbox: Sandbox, identities: Sequence[Identity]) -> dict[Identity, Known]:
    """Return all of them; those that are not stored get numbers, the first of them the smallest.

    The caller holds the sandbox's graphs, so nobody else can be numbering the same ones.
    """
    known = find(sandbox, identities)
    new = [identity for identity in identities if identity not in known]
    numbers = take_numbers(IDENTITY_NUMBERS, len(new))
    known.update(zip(new, map(Known, numbers), strict=True))
    return known


def take_numbers(sequence: str, count: int) -> list[int]:
    """Take the next numbers of a sequence, in rising order."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, [sequence, count])
        return sorted(number for (number,) in cursor.fetchall())
