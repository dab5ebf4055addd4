"""What watches over the installation, and what it is told."""

import os
import signal
import time

import pytest
from django.db import OperationalError
from django.test import Client

from cdp.api import health
from cdp.queue import Message, publish_many
from cdp.tenancy.scope import scope
from tests.stores import session_urls


def away():
    raise OperationalError("server closed the connection unexpectedly")


def metrics(client):
    lines = client.get("/metrics").content.decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_alive_asks_no_store():  # without the mark, a query of any kind would fail this test
    answer = Client().get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.clickhouse
def test_ready_names_each_store(client, db):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "stores": {"postgres": "ready", "redis": "ready", "events": "ready"},
    }


@pytest.mark.clickhouse
def test_ready_without_the_event_store_says_so(client, db, settings):
    settings.CLICKHOUSE_URL = "http://127.0.0.1:1/default"

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["stores"]["events"].startswith("away")
    assert answer.json()["stores"]["postgres"] == "ready"


@pytest.mark.clickhouse
def test_ready_answers_at_once_while_redis_hangs(client, db):
    pid = session_urls().pid("redis")
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        answer = client.get("/readyz")
        took = time.monotonic() - began
    finally:
        os.kill(pid, signal.SIGCONT)

    assert (answer.status_code, took < 1) == (200, True)
    assert answer.json()["stores"]["redis"] == "away: TimeoutError"


@pytest.mark.clickhouse
def test_not_ready_without_postgres(client, db, monkeypatch):
    monkeypatch.setitem(health._STORES, "postgres", away)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert answer.json()["stores"]["postgres"] == "away: OperationalError"


@pytest.mark.clickhouse
def test_metrics_tell_what_waits_and_for_how_long(client, sandbox, other_sandbox, actor, clock):
    for each, number in ((sandbox, 2), (other_sandbox, 1)):
        with scope(each, actor):
            publish_many("tests.metrics", [Message({}, count=10)] * number, sandbox=each)
    clock.move(seconds=30)

    told = metrics(client)

    assert told['cdp_store_up{store="postgres"}'] == "1.0"
    assert told['cdp_queue_records{topic="tests.metrics"}'] == "30.0"
    assert told['cdp_queue_oldest_seconds{topic="tests.metrics"}'] == "30.0"
    assert told['cdp_queue_buried{topic="tests.metrics"}'] == "0.0"
    assert not any(sandbox.name in name or sandbox.organization_id in name for name in told)


@pytest.mark.clickhouse
def test_metrics_without_postgres_say_so_and_no_more(client, db, monkeypatch):
    monkeypatch.setitem(health._STORES, "postgres", away)

    told = metrics(client)

    assert told['cdp_store_up{store="postgres"}'] == "0.0"
    assert not any(name.startswith("cdp_queue") for name in told)


def test_a_request_is_logged_once_with_its_id_and_its_sandbox(api, sandbox, caplog):
    with caplog.at_level("INFO", logger="django_structlog"):
        answer = api.get("/api/v1/jobs/")

    (line,) = [entry.msg for entry in caplog.records]
    assert (line["request"], line["code"]) == ("GET /api/v1/jobs/", 200)
    assert line["sandbox"] == sandbox.pk
    assert line["request_id"] == answer["X-Request-Id"]
