"""A worker that is killed at any moment: nothing is lost, nothing counts twice."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

import pytest
from django.db import connection
from werkzeug import Request, Response

from cdp.queue.models import QueueItem
from cdp.tenancy.scope import scope
from destinations.enums import DeliveryState
from destinations.models import DestinationConnection
from tests.destinations.world import (
    ACTOR,
    activate,
    deliveries,
    make_person,
    make_segment,
    make_webhook,
    runs,
    tell,
    work,
)

PEOPLE = 40


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kills", [2, pytest.param(25, marks=pytest.mark.long)])
def test_every_change_arrives_and_counts_once(sandbox, customers, httpserver, kills):
    """The receiver takes its time, fails now and then, and keeps what it gets by its id."""
    kept: dict[str, str] = {}
    received: Counter[str] = Counter()
    chance = random.Random(kills)

    def answer(request: Request) -> Response:
        time.sleep(0.02)
        received[request.headers["webhook-id"]] += 1
        if chance.random() < 0.1:
            return Response(status=503)
        data = request.get_json()["data"]
        kept[request.headers["webhook-id"]] = f"{data['profile_id']} {data['id']}"
        return Response()

    httpserver.expect_request("/hook").respond_with_handler(answer)
    segment = make_segment(sandbox)
    activate(make_webhook(sandbox, httpserver.url_for("/hook")), segment)
    people = [make_person(sandbox).pk for _ in range(PEOPLE)]
    for start in range(0, PEOPLE, 10):
        tell(segment, entered=people[start : start + 10])

    for _ in range(kills):
        _work_and_die(sandbox, after=chance.uniform(0.02, 0.4))
    while _leases_end(sandbox):
        work()

    assert Counter(row.state for row in deliveries(sandbox)) == {DeliveryState.DELIVERED: PEOPLE}
    assert len(set(kept.values())) == len(kept) == PEOPLE
    assert {line.split()[0] for line in kept.values()} == {f"prf_{each}" for each in people}
    assert sum(run.delivered for run in runs(sandbox)) == PEOPLE
    assert sum(received.values()) > PEOPLE  # something was indeed sent again


def _work_and_die(sandbox, after: float) -> None:
    """Let a worker work on what is due, and kill it."""
    _leases_end(sandbox)
    database = urlsplit(os.environ["DATABASE_URL"])
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.destinations.worker"],
        env={
            **os.environ,
            "DATABASE_URL": database._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
            "CDP_ALLOWED_PRIVATE_HOSTS": "localhost",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        time.sleep(after)
        worker.kill()


def _leases_end(sandbox) -> int:
    """Let everything that waits be due, as it will be in time; return how much that is."""
    with scope(sandbox, ACTOR):
        DestinationConnection.objects.for_sandbox(sandbox).update(resting_until=None)
        waiting = QueueItem.objects.for_sandbox(sandbox)
        assert not waiting.exclude(buried_at=None).exists()
        return waiting.update(available_at=sandbox.created_at, claim=None)
