"""Many people and what they did, put straight into both stores, as ingestion would have.

Each person has three identities with two links, a row of one dataset and ten events.
Statements, not records: a million people are there in a few minutes.
"""

import time
from dataclasses import dataclass
from typing import Any

from django.db import connection

from benchmarks.report import progress
from cdp.clickhouse import client
from cdp.clickhouse.connection import connected
from cdp.tenancy.actors import Actor
from cdp.tenancy.scope import scope

ACTOR = Actor.system("benchmarks")
A_STATEMENT = 500_000
EVENTS_EACH = 10

# Person n founds profile n; her identities have the numbers 3n - 2 to 3n.
_PEOPLE = (
    """
INSERT INTO profiles_profile
    (id, sandbox_id, founder, members, vanished, clear, version, segments, created_at)
SELECT n, %(sandbox)s, 3 * n - 2, ARRAY[3 * n - 2, 3 * n - 1, 3 * n], false, true, 1, jsonb_build_object(
    'seg_buyers', jsonb_build_object('since', '2026-05-01T00:00:00Z', 'status', 'realized'),
    'seg_leavers', jsonb_build_object('since', '2026-05-02T00:00:00Z', 'status', 'exited')),
    '2026-01-01'
FROM generate_series(%(first)s, %(last)s) AS n
""",
    """
INSERT INTO profiles_identity (id, sandbox_id, namespace, value, profile_id, founded, created_at)
SELECT 3 * n - 2 + kind, %(sandbox)s, (ARRAY['UserId', 'Email', 'ECID'])[kind + 1],
    CASE kind WHEN 0 THEN 'user-' || n WHEN 1 THEN n || '@luma.example'
        ELSE lpad(n::text, 38, '0') END,
    n, CASE kind WHEN 0 THEN n END, '2026-01-01'
FROM generate_series(%(first)s, %(last)s) AS n, generate_series(0, 2) AS kind
ORDER BY n, kind
""",
    """
INSERT INTO profiles_identitylink
    (sandbox_id, a, b, first_seen, last_seen, datasets, record, batch_id, by_a, by_b)
SELECT %(sandbox)s, 3 * n - 2, 3 * n - 2 + kind, '2026-01-01', '2026-05-01', ARRAY[%(dataset)s],
    'row-' || n, '', true, true
FROM generate_series(%(first)s, %(last)s) AS n, generate_series(1, 2) AS kind
ORDER BY n, kind
""",
    """
INSERT INTO profiles_fragment (sandbox_id, identity_id, dataset_id, document, taken_at, batch_id)
SELECT %(sandbox)s, 3 * n - 2, %(dataset)s, jsonb_build_object(
    'person', jsonb_build_object('name', jsonb_build_object(
        'firstName', 'First' || n %% 1000, 'lastName', 'Last' || n %% 7919)),
    'personalEmail', jsonb_build_object('address', n || '@luma.example'),
    'homeAddress', jsonb_build_object('city', 'City ' || n %% 500, 'countryCode', 'US'),
    'loyalty', jsonb_build_object('tier', (ARRAY['base', 'silver', 'gold'])[n %% 3 + 1],
        'points', n %% 10000),
    'consents', jsonb_build_object('marketing', jsonb_build_object(
        'email', jsonb_build_object('val', 'y')))),
    '2026-05-01', ''
FROM generate_series(%(first)s, %(last)s) AS n
""",
)
_SEQUENCES = """
SELECT setval('profiles_profile_id_seq', %(last)s), setval('profiles_identity_id_seq', 3 * %(last)s)
"""
_TABLES = ("profile", "identity", "identitylink", "fragment")
_SNAPSHOTS = """
INSERT INTO profiles (sandbox_id, profile_id, version, deleted, body)
SELECT {sandbox:UInt32}, {first:UInt64} + number AS n, 1, 0, concat('{"loyalty":{"tier":"',
    ['base', 'silver', 'gold'][n % 3 + 1], '","points":', toString(n % 10000), '}}')
FROM numbers({count:UInt64})
"""
_EVENTS = """
INSERT INTO events (sandbox_id, identity_id, ts, event_id, event_type, dataset_id, profile_id, body,
    ingested_at, batch_id)
SELECT {sandbox:UInt32}, 3 * n - cityHash64(number, 0) % 3,
    toDateTime64('2026-06-01 00:00:00', 3, 'UTC') - toIntervalSecond(cityHash64(number, 1) % 10368000),
    concat('event-', toString(n), '-', toString(number % {each:UInt64})) AS key,
    ['commerce.purchases', 'commerce.productListAdds', 'commerce.productViews',
        'web.webpagedetails.pageViews'][1 + cityHash64(number, 2) % 4],
    {dataset:String},
    {first:UInt64} + intDiv(number, {each:UInt64}) AS n,
    concat('{"_id":"', key, '","web":{"webPageDetails":{"name":"page-', toString(number % 100),
        '","URL":"https://luma.example/page/', toString(number % 100), '"}},',
        '"productListItems":[{"SKU":"sku-', toString(cityHash64(number, 4) % 50),
        '","quantity":1,"priceTotal":', toString(cityHash64(number, 3) % 20000 / 100 + 0.005), '}]}'),
    now64(3), 'b'
FROM numbers({count:UInt64} * {each:UInt64})
"""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Whose people they are, and which datasets say so."""

    sandbox: Any
    customers: str
    visits: str

    def grow(self, first: int, last: int) -> None:
        """Add the people of these numbers."""
        for start in range(first, last + 1, A_STATEMENT):
            self._add(start, min(start + A_STATEMENT - 1, last))
        with scope(self.sandbox, ACTOR), connection.cursor() as cursor:
            cursor.execute(_SEQUENCES, {"last": last})
        with connection.cursor() as cursor:
            for table in _TABLES:
                cursor.execute(f"VACUUM ANALYZE profiles_{table}")
        _wait_for_merges()

    def _add(self, first: int, last: int) -> None:
        progress(f"adding the people {first:,} to {last:,}")
        given = {"sandbox": self.sandbox.pk, "first": first, "last": last}
        with scope(self.sandbox, ACTOR), connection.cursor() as cursor:
            for text in _PEOPLE:
                cursor.execute(text, {**given, "dataset": self.customers})
        people = {"first": first, "count": last - first + 1}
        self._put(_SNAPSHOTS, **people)
        for start in range(first, last + 1, A_STATEMENT // EVENTS_EACH):
            count = min(A_STATEMENT // EVENTS_EACH, last + 1 - start)
            self._put(_EVENTS, first=start, count=count, each=EVENTS_EACH, dataset=self.visits)

    def _put(self, text: str, **params: Any) -> None:
        client.execute(text, sandbox=self.sandbox, params=params, budget=client.MAINTENANCE)


def _wait_for_merges() -> None:
    """Return when the event store has put its parts together, as it would have over the months."""
    with connected(client.MAINTENANCE) as store:
        while store.command("SELECT count() FROM system.merges"):
            time.sleep(0.5)
