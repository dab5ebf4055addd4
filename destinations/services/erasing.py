"""Taking a person out of what was sent: deliveries, what receivers said, files."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from django.db import connection

from cdp.errors import Unavailable
from cdp.tenancy.models import Sandbox
from cdp.tenancy.naming import ERASED, patterns_of
from cdp.tenancy.sandboxes import ErasedPerson
from destinations.connectors.base import DeliveryError
from destinations.models import ActivationRun, Delivery
from destinations.services.connections import connector_of
from profiles.identity.rules import Identity
from profiles.ids import profile_key

# What was still to be sent is taken off the counts of its run, or that would never be done.
_DELIVERIES: Final = """
WITH gone AS (
    DELETE FROM destinations_delivery
    WHERE sandbox_id = %(sandbox)s AND profile_id = ANY(%(profiles)s)
    RETURNING run_id, state
), counted AS (
    SELECT run_id, count(*) FILTER (WHERE state = 'pending') AS pending
    FROM gone GROUP BY run_id
), settled AS (
    UPDATE destinations_activationrun AS run SET received = run.received - counted.pending
    FROM counted WHERE run.id = counted.run_id AND counted.pending > 0
)
SELECT count(*), coalesce(array_agg(DISTINCT run_id), '{}') FROM gone
"""
_ERRORS: Final = {
    "destinations_delivery": "error",
    "destinations_activationrun": "error",
    "destinations_destinationconnection": "stopped_because",
}


def erase_person(sandbox: Sandbox, person: ErasedPerson) -> Mapping[str, int]:
    """Erase what was sent of a person; what receivers took is theirs.

    Raises `Unavailable` if a file cannot be reached now.
    """
    given: dict[str, Any] = {"sandbox": sandbox.pk, "profiles": list(person.profiles)}
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERIES, given)
        deliveries, runs = cursor.fetchone() or (0, [])
    return {
        "deliveries": deliveries,
        "lines of files": _forget_in_files(sandbox, runs, person.profiles),
        "answers of receivers": _blank_errors(sandbox, person.values),
    }


def personal_data(
    sandbox: Sandbox, profiles: list[int], identities: list[Identity]
) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    """Yield what is kept of what was sent of these people."""
    yield "deliveries", _deliveries(sandbox, profiles)


def _deliveries(sandbox: Sandbox, profiles: Sequence[int]) -> Iterator[dict[str, Any]]:
    rows = Delivery.objects.for_sandbox(sandbox).filter(profile_id__in=profiles).order_by("id")
    for row in rows.select_related("activation__connection", "activation__segment").iterator(1_000):
        yield {
            "id": row.public_id,
            "profile_id": profile_key(row.profile_id),
            "destination": row.activation.connection.name,
            "segment": row.activation.segment.name,
            "entered": row.entered,
            "at": row.at,
            "state": row.state,
        }


def _forget_in_files(sandbox: Sandbox, run_ids: Sequence[str], profiles: Sequence[int]) -> int:
    keys = [profile_key(number) for number in profiles]
    runs = ActivationRun.objects.for_sandbox(sandbox).filter(pk__in=run_ids).exclude(reference="")
    count = 0
    for run in runs.select_related("activation__connection"):
        run.activation.connection.sandbox = sandbox
        try:
            count += connector_of(run.activation.connection).forget(run.reference, keys)
        except DeliveryError as error:
            raise Unavailable(error.detail, retry_after=60) from error
    return count


def _blank_errors(sandbox: Sandbox, values: Sequence[str]) -> int:
    count = 0
    given: dict[str, Any] = {"sandbox": sandbox.pk, "named": patterns_of(values), "erased": ERASED}
    with connection.cursor() as cursor:
        for table, column in _ERRORS.items():
            cursor.execute(
                f"UPDATE {table} SET {column} = %(erased)s"
                f" WHERE sandbox_id = %(sandbox)s AND {column} LIKE ANY(%(named)s)",
                given,
            )
            count += cursor.rowcount
    return count
