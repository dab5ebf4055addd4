"""The people of an export, one after the other: one statement decides who and what.

The event store's snapshots are read in one stream, so the file is of one moment, however
long it takes to write. Only what stands nowhere else is read page by page.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final

from django.db import connection
from orjson import loads

from cdp.clickhouse import client
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.identity.fragment import APART
from profiles.ids import profile_key
from profiles.models import ProfileExport
from profiles.selectors.identities import members_of
from profiles.selectors.people import Person, people_of_ids
from profiles.selectors.shown import ChosenPolicy, attributes_of, only
from profiles.selectors.sight import IDENTITY_MAP, Sight
from profiles.sets import OWN, select

PAGE: Final = 1_000
FEW: Final = 5_000  # members that are named in the statement rather than picked out of everybody
EVENTS_OF_ONE: Final = 5_000
_SNAPSHOTS: Final = """
SELECT profile_id, toJSONString(body) FROM profiles FINAL
WHERE sandbox_id = {sandbox:UInt32} AND profile_id > {after:UInt64}
    AND changed_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND (empty({few:Array(UInt64)}) OR profile_id IN {few:Array(UInt64)})
ORDER BY profile_id
"""
_COUNT: Final = """
SELECT count() FROM profiles FINAL
WHERE sandbox_id = {sandbox:UInt32}
    AND changed_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
"""
_EVENTS: Final = """
SELECT transform(identity_id, {identities:Array(UInt64)}, {owners:Array(UInt64)}, toUInt64(0))
    AS owner, event_id, event_type, toUnixTimestamp64Milli(ts) AS at, dataset_id,
    toJSONString(body)
FROM events
WHERE sandbox_id = {sandbox:UInt32} AND identity_id IN {identities:Array(UInt64)}
    AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND (empty({types:Array(String)}) OR event_type IN {types:Array(String)})
ORDER BY owner, ts DESC, event_id
LIMIT {most:UInt32} BY owner
"""
_MEMBERS: Final = """
SELECT id FROM profiles_profile
WHERE sandbox_id = %s AND NOT vanished AND EXISTS (
    SELECT FROM unnest(%s::text[]) AS wanted(segment)
    WHERE segments -> wanted.segment ->> 'status' = ANY(%s)
)
ORDER BY id
"""
_MORE: Final = f"""
SELECT id, created_at, segments::text FROM profiles_profile WHERE {OWN} AND id = ANY(%(ids)s)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One person of an export, as far as the exporter may see her."""

    number: int
    created_at: datetime
    attributes: Mapping[str, Any]
    identities: Sequence[Mapping[str, str]]
    segments: Mapping[str, Any]
    events: Iterable[Mapping[str, Any]] = field(default=())

    @property
    def id(self) -> str:
        """The profile's public id."""
        return profile_key(self.number)


Body = tuple[int, dict[str, Any]]


class People:
    """Everybody whom an export is about, in the order of their numbers.

    Made outside of any scope: each page is read in one of its own, so that the job can
    tell of its progress in between.
    """

    def __init__(
        self, export: ProfileExport, actor: Actor, sight: Sight, policy: ChosenPolicy
    ) -> None:
        self._export, self._actor = export, actor
        self._sight, self._policy = sight, policy
        self._sandbox: Sandbox = export.sandbox
        self._members = self._read_members() if export.segments else None
        self._is_default = export.merge_policy_id == ""

    def count(self) -> int:
        """Count them, for the progress of the job."""
        if self._members is not None:
            return len(self._members)
        [(count,)] = client.fetch_text(
            _COUNT, sandbox=self._sandbox, params={"since": self._since()}, budget=client.FULL
        )
        return int(count)

    def pages(self) -> Iterator[list[Row]]:
        """Yield them, some at a time; a page's events are read while it is gone through."""
        bodies = self._bodies()
        while page := list(islice(bodies, PAGE)):
            with scope(self._sandbox, self._actor):
                rows = self._rows(page)
            if rows:
                yield self._with_events(rows) if self._export.events_since else rows

    def _bodies(self) -> Iterator[Body]:
        members = self._members
        if members is not None and not members:
            return
        few = list(members) if members is not None and len(members) <= FEW else []
        params = {"after": self._export.position, "since": self._since(), "few": few}
        blocks = client.stream(
            _SNAPSHOTS, sandbox=self._sandbox, params=params, budget=client.MAINTENANCE
        )
        everybody = ((number, loads(body)) for block in blocks for number, body in block)
        yield from everybody if members is None or few else _among(everybody, members)

    def _rows(self, page: Sequence[Body]) -> list[Row]:
        numbers = [number for number, _ in page]
        if not self._is_default:
            found = people_of_ids(self._sandbox, numbers)
            # One that has been merged since stands with the survivor.
            pairs = zip(numbers, found, strict=True)
            return [self._merged(one) for number, one in pairs if one and one.id == number]
        more = {number: rest for number, *rest in select(_MORE, self._sandbox, ids=numbers)}
        return [self._row(number, body, *more[number]) for number, body in page if number in more]

    def _row(self, number: int, body: dict[str, Any], created_at: datetime, segments: str) -> Row:
        named = body.get(IDENTITY_MAP, {})
        identities = [
            {"namespace": namespace, "value": one["id"]}
            for namespace, values in named.items()
            for one in values
            if namespace not in self._sight.namespaces
        ]
        return Row(number, created_at, self._seen(body), identities, loads(segments))

    def _merged(self, person: Person) -> Row:
        seen = person.seen_by(self._policy.policy)
        identities = [
            {"namespace": known.identity.namespace, "value": known.identity.value}
            for known in seen.identities
            if known.identity.namespace not in self._sight.namespaces
        ]
        attributes = attributes_of(self._sandbox, seen, self._policy)
        return Row(
            person.id, person.created_at, self._seen(attributes), identities, person.segments
        )

    def _seen(self, body: Mapping[str, Any]) -> dict[str, Any]:
        own = {name: value for name, value in body.items() if name not in APART}
        seen = self._sight.of_person(own)
        return only(seen, self._export.fields) if self._export.fields else seen

    def _with_events(self, rows: Sequence[Row]) -> list[Row]:
        """Give each row its events, as an iterator that must be used up before the next one's."""
        grouped = _Grouped(self._events([row.number for row in rows]))
        return [
            Row(
                row.number,
                row.created_at,
                row.attributes,
                row.identities,
                row.segments,
                grouped.of(row.number),
            )
            for row in rows
        ]

    def _events(self, numbers: Sequence[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        with scope(self._sandbox, self._actor):
            owners = members_of(self._sandbox, numbers)
        blocks = client.stream(
            _EVENTS,
            sandbox=self._sandbox,
            params={
                "identities": list(owners),
                "owners": list(owners.values()),
                "since": _milliseconds(self._export.events_since),
                "types": self._export.event_types,
                "most": EVENTS_OF_ONE,
            },
            budget=client.MAINTENANCE,
        )
        for block in blocks:
            for owner, event_id, event_type, at, dataset, body in block:
                seen = self._sight.of_event(loads(body))
                yield (
                    owner,
                    {
                        "event_id": event_id,
                        "event_type": event_type if "eventType" in seen else "",
                        "timestamp": datetime.fromtimestamp(at / 1000, UTC),
                        "dataset_id": dataset,
                        "body": seen,
                    },
                )

    def _read_members(self) -> "array[int]":
        """Read the numbers of all members in one statement: eight bytes each."""
        members = array("q")
        values: list[Any] = [self._sandbox.pk, self._export.segments, self._export.segment_statuses]
        with scope(self._sandbox, self._actor), connection.chunked_cursor() as cursor:
            cursor.execute(_MEMBERS, values)
            while some := cursor.fetchmany(10_000):
                members.extend(number for (number,) in some)
        return members

    def _since(self) -> int:
        return _milliseconds(self._export.changed_since)


class _Grouped:
    """Pairs in the order of their first values, handed out to whom they belong."""

    def __init__(self, pairs: Iterable[tuple[int, dict[str, Any]]]) -> None:
        self._groups = groupby(pairs, key=itemgetter(0))
        self._next: tuple[int, Iterator[tuple[int, dict[str, Any]]]] | None = None

    def of(self, owner: int) -> Iterator[dict[str, Any]]:
        """Yield what belongs to an owner; owners are asked for in rising order."""
        while self._next is None or self._next[0] < owner:
            group = next(self._groups, None)
            if group is None:
                return
            self._next = group
        if self._next[0] == owner:
            yield from (one for _, one in self._next[1])


def _among(bodies: Iterable[Body], members: Sequence[int]) -> Iterator[Body]:
    """Pick the members out of everybody; both are in rising order."""
    waiting = iter(members)
    wanted = next(waiting, None)
    for number, body in bodies:
        while wanted is not None and wanted < number:
            wanted = next(waiting, None)
        if wanted is None:
            return
        if wanted == number:
            yield number, body


def _milliseconds(moment: datetime | None) -> int:
    return round(moment.timestamp() * 1000) if moment else 0
