"""Real trackers against the running server: each delivers, tries again, and counts once."""

import shutil
import subprocess
from pathlib import Path

import pytest
from django.db import OperationalError
from rudderstack.analytics.client import Client as Rudder
from segment.analytics.client import Client as Segment

from cdp import queue
from tests.datasets.making import make_dataset, make_inlet, make_key, make_schema
from tests.datasets.test_ingestion import prepared

CLIENTS = Path(__file__).parent.parent / "clients"
TRAITS = {"email": "sarah@luma.example", "firstName": "Sarah"}
ORDER = {"order_id": "o1", "revenue": 25.5, "currency": "EUR"}


@pytest.fixture
def tracker(transactional_db, sandbox):
    events = make_dataset(sandbox)
    schema = make_schema(sandbox, title="People", events=False)
    people = make_dataset(sandbox, name="People", schema=schema)
    return make_inlet(sandbox, events, people, door="segment", requires_key=True)


@pytest.fixture
def stumbling(monkeypatch):
    """The database is away when the first request wants to be written down."""
    real, tried = queue.publish, []

    def publish(*args, **kwargs):
        tried.append(args)
        if len(tried) == 1:
            raise OperationalError("away for a moment")
        return real(*args, **kwargs)

    monkeypatch.setattr(queue, "publish", publish)
    return tried


@pytest.fixture(scope="session")
def modules():
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    if not (CLIENTS / "node_modules").exists():
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"],
            cwd=CLIENTS, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip("the trackers for Node could not be installed")
    return CLIENTS


def check_arrived(sandbox):
    result = prepared(sandbox)
    assert [error for each in result.rejected for error in each.errors] == []
    by_id = {(each.dedup_scope, each.event_id): each for each in result.accepted if each.event_id}
    assert sorted(each.record["eventType"] for each in by_id.values()) == [
        "commerce.purchases",
        "web.webpagedetails.pageViews",
    ]
    order = next(each for each in by_id.values() if "commerce" in each.record)
    assert order.record["commerce"]["order"]["priceTotal"] == 25.5
    people = [each.record for each in result.accepted if not each.event_id]
    assert {each["person"]["name"]["firstName"] for each in people} == {"Sarah"}


def test_segment_for_python(live_server, sandbox, tracker, stumbling):
    failures = []
    client = Segment(
        make_key(tracker), host=live_server.url, gzip=True, max_retries=3, upload_interval=0.1,
        on_error=lambda error, items: failures.append(error),
    )  # fmt: skip
    client.identify("u1", TRAITS)
    client.track("u1", "Order Completed", ORDER)
    client.page("u1", name="Home", properties={"url": "https://luma.example/"})
    client.flush()
    client.join()

    assert failures == []
    assert len(stumbling) > 1
    check_arrived(sandbox)


def test_rudderstack_for_python(live_server, sandbox, tracker, stumbling):
    failures = []
    client = Rudder(
        make_key(tracker), host=live_server.url, max_retries=3, upload_interval=0.1,
        on_error=lambda error, items: failures.append(error),
    )  # fmt: skip
    client.identify("u1", TRAITS)
    client.track("u1", "Order Completed", ORDER)
    client.page("u1", name="Home", properties={"url": "https://luma.example/"})
    client.flush()
    client.join()

    assert failures == []
    assert len(stumbling) > 1
    check_arrived(sandbox)


@pytest.mark.parametrize("script", ["segment.cjs", "rudder.cjs"])
def test_trackers_for_node(live_server, sandbox, tracker, stumbling, modules, script):
    done = subprocess.run(
        ["node", script, live_server.url, make_key(tracker)],
        cwd=modules, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert len(stumbling) > 1
    check_arrived(sandbox)
