"""What happened to a person, from the event store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from orjson import loads

from cdp.clickhouse import client
from cdp.clickhouse.budgets import Budget
from cdp.tenancy.models import Sandbox
from profiles.identity.rules import Identity
from profiles.selectors.people import Person

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD: Final = timedelta(days=2)  # further ahead than any event is let in


# When, the event's id and its dataset: two datasets may have been sent the same event.
Place = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Event:
    """One event, with the identity that sent it."""

    event_id: str
    event_type: str
    at: int
    dataset_id: str
    identity: Identity
    body: dict[str, Any]

    @property
    def place(self) -> Place:
        """Say where it stands in a timeline."""
        return self.at, self.event_id, self.dataset_id


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events, in which order.

    `after` is the place of the last one that the caller has seen (`Event.place`).
    """

    since: datetime | None = None
    until: datetime | None = None
    types: Sequence[str] = ()
    datasets: Sequence[str] = ()
    newest_first: bool = True
    limit: int = 50
    after: Place | None = None


def list_events(sandbox: Sandbox, person: Person, asked: Asked) -> list[Event]:
    """Return a person's events. Raises `StoreUnavailable`."""
    after, after_id, after_dataset = asked.after or (0, "", "")
    return _events(
        sandbox,
        person,
        "timeline",
        client.LOOKUP,
        since=_milliseconds(asked.since or EARLIEST),
        until=_milliseconds(asked.until or timezone.now() + _AHEAD),
        types=list(asked.types),
        datasets=list(asked.datasets),
        direction=-1 if asked.newest_first else 1,
        after=after,
        after_id=after_id,
        after_dataset=after_dataset,
        limit=asked.limit,
    )


def newest_events(sandbox: Sandbox, person: Person, count: int) -> list[Event]:
    """Return the last events of a person, the newest first. Raises `StoreUnavailable`."""
    return _events(sandbox, person, "newest", client.POINT, limit=count)


def _events(
    sandbox: Sandbox, person: Person, query: str, budget: Budget, **params: Any
) -> list[Event]:
    names = {known.id: known.identity for known in person.identities}
    params["identities"] = sorted(names)
    rows = client.fetch("profiles", query, sandbox=sandbox, params=params, budget=budget)
    return [
        Event(
            event_id=row["event_id"],
            event_type=row["event_type"],
            at=row["at"],
            dataset_id=row["dataset_id"],
            identity=names[row["identity_id"]],
            body=loads(row["document"]),
        )
        for row in rows
    ]


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
