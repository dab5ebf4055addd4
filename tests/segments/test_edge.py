"""A visitor's own browser is told its segments, in the answer to its events."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from cdp.clickhouse import client
from cdp.clickhouse.errors import StoreUnavailable
from cdp.queue import drain
from cdp.tenancy.scope import scope
from segments import edge
from segments.models import Segment
from segments.services.lifecycle import create_segment, publish_segment
from tests.datasets.making import make_inlet
from tests.datasets.test_edge import ask
from tests.segments.shop import ACTOR, open_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
SARAH, ECID = "sarah@luma.example", "1" * 38
BUY, CART, VIEW = "commerce.purchases", "commerce.productListAdds", "commerce.productViews"
RULES = {
    "Women": 'person.gender = "female"',
    "Viewers": f'xEvent[eventType = "{VIEW}" and timestamp occurs <= 1 day before now]',
    "Carts": f'xEvent[eventType = "{CART}" and timestamp occurs <= 7 days before now] and not xEvent[eventType = "{BUY}" and timestamp occurs <= 7 days before now]',
    "Frequent": f'xEvent[eventType = "{VIEW}" and timestamp occurs <= 7 days before now].count() >= 2',
}  # fmt: skip


@pytest.fixture
def shop(sandbox):
    shop = open_shop(sandbox)
    with scope(sandbox, ACTOR):
        for name, text in RULES.items():
            made = create_segment(actor=ACTOR, sandbox=sandbox, name=name, text=text, on_edge=True)
            publish_segment(actor=ACTOR, segment=made)
        kept = create_segment(actor=ACTOR, sandbox=sandbox, name="Inner", text=RULES["Viewers"])
        publish_segment(actor=ACTOR, segment=kept)
        create_segment(
            actor=ACTOR, sandbox=sandbox, name="Draft", text=RULES["Viewers"], on_edge=True
        )
    drain()
    return shop


@pytest.fixture
def page(shop):
    return make_inlet(shop.sandbox, shop.events, door="edge")


def happening(kind, email=SARAH, **fields):
    moment = datetime.now(UTC) - timedelta(seconds=1)
    identities = {"Email": [{"id": email, "primary": True}]} if email else {}
    return {
        "xdm": {
            "eventType": kind,
            "timestamp": moment.isoformat(timespec="milliseconds"),
            "identityMap": {"ECID": [{"id": ECID}], **identities},
            **fields,
        }
    }


def told(shop, answer):
    """Return the names of the segments that an answer tells, which it says in both forms."""
    assert answer.status_code == 200, answer.content
    handles = {handle["type"]: handle["payload"][0] for handle in answer.json()["handle"]}
    listed = [each["id"] for each in handles["activation:pull"]["segments"]]
    cookie = handles["activation:push"]["spec"]
    assert (cookie["name"], cookie["value"]) == ("cdp_segments", ",".join(listed))
    with scope(shop.sandbox, ACTOR):
        names = dict(Segment.objects.for_sandbox(shop.sandbox).values_list("pk", "name"))
    return {names[key] for key in listed}


@pytest.mark.acceptance("D-12")
def test_a_page_is_driven_by_the_profile_within_a_second(api, shop, page):
    shop.person(SARAH, person={"gender": "female", "name": {"firstName": "Sarah"}})

    began = time.monotonic()
    answer = ask(page, "interact", {"events": [happening(VIEW)]})
    took = time.monotonic() - began

    assert told(shop, answer) == {"Women", "Viewers"}
    assert took < 1
    profile = api.get("/api/v1/profiles/?identity=Email:sarah@luma.example").json()
    assert profile["attributes"]["person"]["name"] == {"firstName": "Sarah"}


def test_events_of_this_very_request_count_before_they_are_stored(shop, page):
    shop.event(SARAH, CART)
    assert told(shop, ask(page, "interact", {"events": [happening(VIEW)]})) == {"Viewers", "Carts"}

    bought = ask(page, "interact", {"events": [happening(BUY)]}, request_id="req-0002")

    assert "Carts" not in told(shop, bought)


def test_what_rests_on_more_than_the_request_is_as_it_was_written_last(shop, page):
    ask(page, "interact", {"events": [happening(VIEW)]})
    drain()

    second = ask(page, "interact", {"events": [happening(VIEW)]}, request_id="req-0002")
    assert told(shop, second) == {"Viewers"}

    drain()
    known = {"events": [], "identityMap": {"ECID": [{"id": ECID}]}}
    third = ask(page, "interact", known, request_id="req-0003")
    assert told(shop, third) == {"Viewers", "Frequent"}


def test_of_somebody_new_the_request_is_all_there_is(shop, page):
    events = [happening(VIEW, email=""), happening(VIEW, email=""), happening(CART, email="")]

    answer = ask(page, "interact", {"events": events})

    assert told(shop, answer) == {"Viewers", "Frequent", "Carts"}


def test_what_will_not_be_stored_does_not_count(shop, page):
    wrong = happening(VIEW, commerce={"order": "not an object"})
    ancient = happening(VIEW, timestamp="1999-01-01T00:00:00Z")

    answer = ask(page, "interact", {"events": [wrong, ancient]})

    assert told(shop, answer) == set()


def test_the_event_store_is_not_needed(shop, page, monkeypatch):
    shop.event(SARAH, CART)

    def away(*args, **kwargs):
        raise StoreUnavailable("The event store does not answer; try again shortly.")

    monkeypatch.setattr(client, "connected", away)
    answer = ask(page, "interact", {"events": [happening(VIEW)]})

    assert told(shop, answer) == {"Viewers", "Carts"}
    assert "warnings" not in answer.json()


def test_a_page_does_not_wait_for_a_slow_store_and_is_told(shop, page, monkeypatch):
    def slow(sandbox, identities):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(30)")

    ask(page, "interact", {"events": []})  # so that the rules are known
    monkeypatch.setattr(edge, "people_of_identities", slow)
    began = time.monotonic()
    answer = ask(page, "interact", {"events": [happening(VIEW)]})

    assert time.monotonic() - began < 2
    body = answer.json()
    assert [handle["type"] for handle in body["handle"]] == ["identity:result", "state:store"]
    assert [(w["type"], w["report"]) for w in body["warnings"]] == [("segments_late", "segments")]


def test_who_does_not_want_it_is_told_of_nothing(shop, page):
    shop.event(SARAH, CART)
    entry = {"key": "kndctr_LUMA_CdpOrg_consent", "value": "general=out"}
    body = {"events": [happening(VIEW)], "meta": {"state": {"entries": [entry]}}}

    assert told(shop, ask(page, "interact", body)) == set()


def test_without_a_segment_that_is_meant_for_it_a_page_is_told_nothing(sandbox):
    shop = open_shop(sandbox)
    page = make_inlet(sandbox, shop.events, door="edge")

    answer = ask(page, "interact", {"events": [happening(VIEW)]}).json()

    assert [handle["type"] for handle in answer["handle"]] == ["identity:result", "state:store"]


def test_more_segments_than_a_cookie_holds_are_refused(api, shop, monkeypatch):
    monkeypatch.setattr("segments.services.lifecycle.MOST_ON_EDGE", 5)

    answer = api.post("/api/v1/segments/", {"name": "One more", "text": "true", "on_edge": True})

    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "on_edge")
    with scope(shop.sandbox, ACTOR):
        assert not Segment.objects.for_sandbox(shop.sandbox).filter(name="One more").exists()
