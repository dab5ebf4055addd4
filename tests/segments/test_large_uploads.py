"""A large file goes through fast, and in little memory however large it is."""

import resource
import time

import pytest
from django.db import connection

from cdp.clickhouse import client
from cdp.queue import drain
from cdp.tenancy.scope import scope
from segments.evaluation import log
from tests.segments.shop import ACTOR
from tests.segments.test_uploads import folder  # noqa: F401  # the files of this test, too

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.clickhouse,
    pytest.mark.long,
]

PEOPLE, STRANGERS = 100_000, 5_000
_PROFILES = """
INSERT INTO profiles_profile
  (id, sandbox_id, founder, members, vanished, clear, version, segments, created_at)
SELECT n, %s, n, ARRAY[n], false, false, 1, '{}', now() FROM generate_series(1, %s) AS n
"""
_IDENTITIES = """
INSERT INTO profiles_identity (id, sandbox_id, namespace, value, profile_id, created_at)
SELECT n, %s, 'Email', 'p' || n || '@luma.example', n, now() FROM generate_series(1, %s) AS n
"""


def test_a_hundred_thousand_people_of_a_file_are_members_in_seconds(api, sandbox):
    with scope(sandbox, ACTOR), connection.cursor() as cursor:
        cursor.execute(_PROFILES, [sandbox.pk, PEOPLE])
        cursor.execute(_IDENTITIES, [sandbox.pk, PEOPLE])
    for start in range(1, PEOPLE + 1, 10_000):  # in parts, or the memory of this would hide growth
        part = range(start, min(start + 10_000, PEOPLE + 1))
        rows = [{"profile_id": n, "version": 1, "deleted": 0, "body": {}} for n in part]
        client.insert("profiles", rows, sandbox=sandbox, token=f"people {start}")
    key = api.post(
        "/api/v1/segment-uploads/",
        {
            "name": "Everybody",
            "identities": [{"column": "id", "namespace": "Email"}],
            "attributes": [{"column": "score", "type": "number"}, {"column": "tier"}],
        },
    ).json()["id"]
    at = api.post(f"/api/v1/segment-uploads/{key}/batches/", {}).headers["Location"]
    lines = (f"p{n}@luma.example,{n % 100}.5,gold" for n in range(1, PEOPLE + STRANGERS + 1))
    body = "\n".join(["id,score,tier", *lines]).encode()
    api.generic("PUT", f"{at}files/all.csv", body, content_type="application/octet-stream")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()

    api.post(f"{at}complete/")
    drain()

    seconds = time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{(PEOPLE + STRANGERS) / seconds:,.0f} rows/s, {grown:.0f} MB more")
    assert api.get(at).json()["stored_records"] == PEOPLE + STRANGERS
    assert log.sizes(sandbox) == {key: PEOPLE}
    with scope(sandbox, ACTOR), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM profiles_profile "
            "WHERE sandbox_id = %s AND segments -> %s ->> 'status' = 'realized'",
            [sandbox.pk, key],
        )
        assert cursor.fetchone() == (PEOPLE,)
    assert (PEOPLE + STRANGERS) / seconds > 2_000
    assert grown < 100
