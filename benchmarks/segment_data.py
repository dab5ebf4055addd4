"""People and what they did, made inside the stores: a million in seconds."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from benchmarks.report import progress
from benchmarks.segment_rules import CLOCK
from cdp.clickhouse import client

EVENTS_AT_ONCE = 1_000_000

_PROFILES = """INSERT INTO profiles (sandbox_id, profile_id, version, deleted, body)
SELECT {sandbox:UInt32}, number + 1, 1, 0, concat('{"loyalty":{"tier":"',
  ['base', 'silver', 'gold', 'platinum'][1 + cityHash64(number) % 4], '"}}')
FROM numbers({profiles:UInt64})"""
_OVERRIDES = """INSERT INTO profile_overrides (sandbox_id, identity_id, profile_id, version)
SELECT {sandbox:UInt32}, number * 20 + 1, number * 20 + 2, 1 FROM numbers({profiles:UInt64} / 20)"""
_EVENTS = """INSERT INTO events (sandbox_id, identity_id, ts, event_id, event_type, dataset_id,
  profile_id, body, ingested_at, batch_id)
SELECT {sandbox:UInt32}, 1 + cityHash64(number) % {profiles:UInt64} AS who,
  fromUnixTimestamp64Milli({now:Int64} - toInt64(cityHash64(number, 1) % {span:Int64}), 'UTC'),
  toString(number), ['commerce.purchases', 'commerce.productListAdds', 'commerce.productViews',
    'commerce.productViews', 'directMarketing.emailOpened', 'web.webpagedetails.pageViews'
  ][1 + cityHash64(number, 2) % 6] AS kind, 'ds_web', who,
  if(kind = 'commerce.purchases', concat('{"commerce":{"order":{"payments":[{"paymentAmount":',
      toString(cityHash64(number, 3) % 20000 / 100 + 0.005), '}]}},"productListItems":[{"SKU":"sku-',
      toString(cityHash64(number, 4) % 50), '"}]}'),
    concat('{"web":{"webPageDetails":{"name":"page-', toString(number % 100), '"}}}')),
  now64(3), 'b'
FROM numbers({start:UInt64}, {count:UInt64})"""
_SPAN = 120 * 86_400_000  # over so many milliseconds


@dataclass(frozen=True, slots=True)
class Place:
    """A sandbox as far as the event store knows one, with so much in it."""

    pk: int
    events: int
    profiles: int

    @property
    def size(self) -> str:
        """How much there is, for people."""
        return f"{self.events:,} events, {self.profiles:,} profiles"


def fill(place: Place) -> None:
    """Make people and what they did; every twentieth has been merged into their neighbour."""
    progress(f"making {place.size}")
    _put(place, _PROFILES)
    _put(place, _OVERRIDES)
    for start in range(0, place.events, EVENTS_AT_ONCE):
        count = min(EVENTS_AT_ONCE, place.events - start)
        _put(place, _EVENTS, start=start, count=count, span=_SPAN)


def add_news(place: Place, events: int) -> list[int]:
    """Have as many more events happen within the last minute; return whose they are."""
    _put(place, _EVENTS, start=place.events, count=events, span=60_000)
    who = """SELECT DISTINCT if(o.profile_id != 0, o.profile_id, e.profile_id)
FROM (SELECT identity_id, profile_id FROM events
  WHERE sandbox_id = {sandbox:UInt32} AND toUInt64OrZero(event_id) >= {first:UInt64}) AS e
LEFT ANY JOIN (SELECT identity_id, profile_id FROM profile_overrides FINAL
  WHERE sandbox_id = {sandbox:UInt32}) AS o ON o.identity_id = e.identity_id"""
    rows = client.fetch_text(
        who, sandbox=place, params={"first": place.events}, budget=client.MAINTENANCE
    )
    return sorted(profile for (profile,) in rows)


def identities_of(place: Place, profiles: list[int]) -> list[int]:
    """Return the identities whose events may be these profiles': their own, and those merged in."""
    merged = {who - 1 for who in profiles if who % 20 == 2 and who <= place.profiles}
    return sorted({*profiles, *merged})


def copy_to_postgres(place: Place) -> None:
    """Put the same people and events into PostgreSQL, bodies as JSONB."""
    progress(f"copying {place.size} to PostgreSQL")
    tables = {
        "bench_profiles (profile_id bigint, body jsonb)": (
            "SELECT profile_id, toJSONString(body) FROM profiles FINAL"
        ),
        "bench_overrides (identity_id bigint, profile_id bigint)": (
            "SELECT identity_id, profile_id FROM profile_overrides FINAL"
        ),
        "bench_events (identity_id bigint, profile_id bigint, at bigint, event_type text, body jsonb)": (
            "SELECT identity_id, profile_id, toUnixTimestamp64Milli(ts), event_type, "
            "toJSONString(body) FROM events"
        ),
    }
    with connection.cursor() as cursor:
        for table, source in tables.items():
            name = table.split()[0]
            cursor.execute(f"CREATE UNLOGGED TABLE {table}")
            blocks = client.stream(f"{source} WHERE sandbox_id = {{sandbox:UInt32}}", sandbox=place)
            for block in blocks:
                row = f"({', '.join(['%s'] * len(block[0]))})"
                listed = ", ".join(cursor.mogrify(row, values).decode() for values in block)
                cursor.execute(f"INSERT INTO {name} VALUES {listed}")
            cursor.execute(f"ANALYZE {name}")
        cursor.execute("SET work_mem = '512MB'")


def _put(place: Place, text: str, **params: Any) -> None:
    values = {"now": CLOCK.now, "profiles": place.profiles, **params}
    client.execute(text, sandbox=place, params=values, budget=client.MAINTENANCE)
