"""Working out the computed attributes of some persons, and keeping what has changed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

import structlog

from cdp.clickhouse import client
from cdp.clickhouse.errors import BudgetExceeded
from cdp.schemas.registry.fields import Field
from cdp.schemas.selectors import EVENT_CLASS, union_fields
from cdp.tenancy.models import Sandbox
from profiles.computed.definition import OWN as OWN_FIELDS
from profiles.computed.definition import Computation, Condition, Function, Unit
from profiles.computed.reading import values_of
from profiles.computed.sql import statement
from profiles.enums import ComputedState
from profiles.models import ComputedAttribute
from profiles.selectors.identities import members_of
from profiles.sets import OWN, as_json, execute, select

PERSONS_AT_ONCE: Final = 2_000
_KEEP: Final = """
INSERT INTO profiles_computedvalues AS stored (profile_id, sandbox_id, document, computed_at)
SELECT profile, %(sandbox)s, document, %(now)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS given(profile bigint, document jsonb)
ORDER BY profile
ON CONFLICT (profile_id) DO UPDATE
    SET document = excluded.document, computed_at = excluded.computed_at
    WHERE stored.document <> excluded.document
RETURNING profile_id
"""
_DIFFER: Final = f"""
SELECT given.profile FROM jsonb_to_recordset(%(rows)s::jsonb) AS given(profile bigint, document jsonb)
LEFT JOIN profiles_computedvalues AS stored
    ON stored.profile_id = given.profile AND stored.{OWN}
WHERE stored.document IS DISTINCT FROM given.document
UNION ALL
SELECT profile_id FROM profiles_computedvalues
WHERE {OWN} AND profile_id = ANY(%(silent)s)
"""
_FORGET: Final = f"""
DELETE FROM profiles_computedvalues WHERE {OWN} AND profile_id = ANY(%(profiles)s)
RETURNING profile_id
"""

Values = Mapping[int, Mapping[str, Any]]

log = structlog.get_logger(__name__)


def published(sandbox: Sandbox) -> list[Computation]:
    """Return what is worked out in the sandbox."""
    rows = ComputedAttribute.objects.for_sandbox(sandbox).filter(state=ComputedState.PUBLISHED)
    return [computation_of(row) for row in rows.order_by("id")]


def computation_of(row: ComputedAttribute) -> Computation:
    """Return a stored attribute as it is computed."""
    return Computation(
        name=row.name,
        function=Function(row.function),
        field=row.field,
        conditions=tuple(Condition(**condition) for condition in row.conditions),
        length=row.lookback_length,
        unit=Unit(row.lookback_unit),
        keep=row.keep,
    )


def event_fields(sandbox: Sandbox) -> Mapping[str, Field]:
    """Return the fields of events that may be computed of."""
    return {**union_fields(sandbox, EVENT_CLASS), **OWN_FIELDS}


def work_out(
    sandbox: Sandbox, computations: Sequence[Computation], profiles: Collection[int], now: datetime
) -> tuple[Values, set[int]]:
    """Compute the attributes of these profiles from the event store; those without any are left out.

    Also returns the profiles that even alone are too much for the event store.
    """
    fields = event_fields(sandbox)
    known = [one for one in computations if all(name in fields for name in one.fields)]
    found: dict[int, dict[str, Any]] = {}
    too_much: set[int] = set()
    if not known:
        return found, too_much
    text, params = statement(known, fields, now)
    waiting = list(_slices(profiles))
    while waiting:
        some = waiting.pop()
        owners = members_of(sandbox, some)
        given = {"ids": list(owners), "owners": list(owners.values())}
        try:
            rows = client.fetch_text(
                text, sandbox=sandbox, params={**params, **given}, budget=client.STREAMING
            )
        except BudgetExceeded:
            half = len(some) // 2
            if half:
                waiting += [some[:half], some[half:]]
            else:
                log.warning("too_much_to_compute", sandbox=sandbox.pk, profiles=some)
                too_much.update(some)
            continue
        for owner, *columns in rows:
            if values := values_of(known, columns, fields):
                found[owner] = values
    return found, too_much


def differing(sandbox: Sandbox, values: Values, profiles: Collection[int]) -> set[int]:
    """Return those of the profiles of which other values are stored."""
    rows = [{"profile": profile, "document": own} for profile, own in values.items()]
    silent = [profile for profile in profiles if profile not in values]
    return {key for (key,) in select(_DIFFER, sandbox, rows=as_json(rows), silent=silent)}


def keep(sandbox: Sandbox, values: Values, profiles: Collection[int], now: datetime) -> set[int]:
    """Store the values of these profiles; return those whose values are other ones now."""
    rows = [{"profile": profile, "document": own} for profile, own in values.items()]
    silent = [profile for profile in profiles if profile not in values]
    changed = {profile for (profile,) in select(_FORGET, sandbox, profiles=silent)}
    if rows:
        kept = select(_KEEP, sandbox, rows=as_json(rows), now=now)
        changed.update(profile for (profile,) in kept)
    return changed


def forget_values(sandbox: Sandbox, profiles: Collection[int]) -> None:
    """Drop the values of profiles that have vanished or are gone."""
    execute(_FORGET, sandbox, profiles=list(profiles))


def _slices(profiles: Collection[int]) -> Iterator[list[int]]:
    rest = iter(sorted(profiles))
    while some := list(islice(rest, PERSONS_AT_ONCE)):
        yield some
