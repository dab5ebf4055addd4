"""Real trackers against the running server: each delivers, tries again, and counts once."""

import subprocess

import pytest
from rudderstack.analytics.client import Client as Rudder
from segment.analytics.client import Client as Segment

from cdp import queue
from cdp.datasets.stored import Wanted, read_rows
from cdp.tenancy.scope import scope
from tests.clients.packages import installed
from tests.datasets.making import ACTOR, make_dataset, make_inlet, make_key, make_schema
from tests.datasets.stumbling import proxy_before

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

TRAITS = {"email": "sarah@luma.example", "firstName": "Sarah"}
ORDER = {"order_id": "o1", "revenue": 25.5, "currency": "EUR"}


@pytest.fixture
def tracker(sandbox):
    events = make_dataset(sandbox)
    schema = make_schema(sandbox, title="People", events=False)
    people = make_dataset(sandbox, name="People", schema=schema)
    return make_inlet(sandbox, events, people, door="segment", requires_key=True)


@pytest.fixture
def proxy(live_server):
    with proxy_before(live_server.url) as running:
        yield running


@pytest.fixture(scope="session")
def modules():
    return installed()


def check_arrived(proxy, api, tracker):
    """Everything came through all stumbles, once, and it is one person's."""
    assert proxy.has_stumbled, proxy.answered
    queue.drain()

    answer = api.get("/api/v1/profiles/", {"identity": "UserId:u1", "events": 10}).json()
    assert answer["attributes"]["person"]["name"]["firstName"] == "Sarah"
    assert {"UserId:u1", "Email:sarah@luma.example"} <= {
        f"{each['namespace']}:{each['value']}" for each in answer["identities"]
    }
    kinds = sorted(each["event_type"] for each in answer["events"])
    assert kinds == ["commerce.purchases", "web.webpagedetails.pageViews"]
    order = next(each for each in answer["events"] if each["event_type"] == kinds[0])
    assert order["body"]["commerce"]["order"]["priceTotal"] == 25.5
    with scope(tracker.sandbox, ACTOR):
        events = tracker.datasets.select_related("sandbox").get(name="Web events")
    assert len(read_rows(events, Wanted()).rows) == 2


def send_by(client):
    client.identify("u1", TRAITS)
    client.track("u1", "Order Completed", ORDER)
    client.page("u1", name="Home", properties={"url": "https://luma.example/"})
    client.flush()
    client.join()


@pytest.mark.parametrize(("tracker_class", "more"), [(Segment, {"gzip": True}), (Rudder, {})])
def test_trackers_for_python(proxy, api, tracker, tracker_class, more):
    failures = []
    client = tracker_class(
        make_key(tracker), host=proxy.url, max_retries=6, upload_interval=0.1,
        on_error=lambda error, items: failures.append(error), **more,
    )  # fmt: skip

    send_by(client)

    assert failures == []
    check_arrived(proxy, api, tracker)


@pytest.mark.parametrize("script", ["segment.cjs", "rudder.cjs"])
def test_trackers_for_node(proxy, api, tracker, modules, script):
    done = subprocess.run(
        ["node", script, proxy.url, make_key(tracker)],
        cwd=modules, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    check_arrived(proxy, api, tracker)
