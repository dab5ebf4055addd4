"""The test session itself: its stores, its fixtures, its walls."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from cdp.clickhouse.budgets import LOOKUP
from cdp.clickhouse.client import fetch_text
from cdp.clickhouse.connection import connected
from tests.fence import unfenced_queries
from tests.stores import session_urls

COUNT = "SELECT count() FROM events WHERE sandbox_id = {sandbox:UInt32}"


def test_settings_name_the_stores_of_this_session():
    urls = session_urls()

    assert urls.clickhouse == settings.CLICKHOUSE_URL
    assert urls.redis == settings.REDIS_URL
    assert urls.place.root == settings.DATA_DIR


def test_the_role_is_no_superuser(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False)


def test_an_unmarked_test_cannot_reach_the_event_store(request):
    with pytest.raises(pytest.fail.Exception, match=request.node.name), connected(LOOKUP):
        pass


@pytest.mark.clickhouse
def test_a_marked_test_reaches_the_event_store(sandbox):
    assert fetch_text(COUNT, sandbox=sandbox, budget=LOOKUP) == [(0,)]

    asked = session_urls().query_log.read_text()
    assert "SELECT count() FROM events" in asked


@pytest.mark.clickhouse
def test_the_session_sees_a_query_without_a_fence(sandbox, tmp_path):
    log = session_urls().query_log
    seen = len(log.read_text().splitlines())
    with connected(LOOKUP) as client:
        client.query("SELECT version()")
    fetch_text(COUNT, sandbox=sandbox, budget=LOOKUP)
    fenced = log.read_text().splitlines()[seen:]
    bare = [
        _with(fenced[-1], settings={}),
        _with(fenced[-1], parameters={"sandbox": str(sandbox.pk + 1)}),
        _with(fenced[-1], query="SELECT count() FROM events"),
    ]

    assert unfenced_queries(_log(tmp_path / "good", fenced)) == []
    assert len(unfenced_queries(_log(tmp_path / "bad", bare))) == 3


def test_the_clock_stands_until_it_is_moved(clock):
    before = timezone.now()

    clock.move(hours=2)

    assert (timezone.now() - before).total_seconds() == 7200
    assert timezone.now() == timezone.now()


def test_a_client_acts_in_its_sandbox(api):
    answer = api.get("/api/v1/me/")

    assert answer.status_code == 200


def _with(line: str, **changes: object) -> str:
    return json.dumps(json.loads(line) | changes)


def _log(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path
