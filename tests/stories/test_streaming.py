"""What streams through the doors is in profiles and segments as soon as it is worked on."""

from typing import Any

import pytest
from django.utils import timezone
from orjson import dumps

from cdp.queue import drain
from cdp.tenancy.scope import scope
from segments.services.lifecycle import create_segment, publish_segment
from tests.datasets.making import (
    ACTOR,
    make_dataset,
    make_inlet,
    make_key,
    make_schema,
    message,
    send,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

SARAH = "sarah@luma.example"
KNOWN = {"Email": [{"id": SARAH, "primary": True}]}


@pytest.fixture(autouse=True)
def people(sandbox):
    """A dataset of people and their choices."""
    groups = ("Personal Contact Details", "IdentityMap", "Consents and Preferences")
    schema = make_schema(sandbox, title="People", events=False, groups=groups)
    return make_dataset(sandbox, name="People", schema=schema)


def happened(kind: str, number: int = 0, **fields: Any) -> dict[str, Any]:
    now = timezone.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "_id": f"{kind}-{number}",
        "timestamp": now,
        "eventType": kind,
        "identityMap": KNOWN,
        **fields,
    }


def sarah(api) -> dict[str, Any]:
    drain()
    answer = api.get("/api/v1/profiles/", {"identity": f"Email:{SARAH}", "events": 10})
    assert answer.status_code == 200, answer.json()
    return answer.json()


def open_events(sandbox, *groups: str):
    schema = make_schema(sandbox, title="Events", groups=groups)
    dataset = make_dataset(sandbox, name="Events", schema=schema)
    inlet = make_inlet(sandbox, dataset, requires_key=True)
    return inlet, dataset, make_key(inlet)


def segment_of(sandbox, text: str) -> str:
    with scope(sandbox, ACTOR):
        segment = create_segment(actor=ACTOR, sandbox=sandbox, name="Segment", text=text)
        publish_segment(actor=ACTOR, segment=segment)
    drain()
    return segment.pk


@pytest.mark.acceptance("A-09")
@pytest.mark.acceptance("D-05")
def test_a_sale_at_the_till_counts_for_a_segment_at_once(api, sandbox):
    inlet, dataset, key = open_events(sandbox, "Commerce Details")
    segment = segment_of(
        sandbox,
        'xEvent[eventType = "commerce.purchases" and commerce.order.priceTotal > 100]',
    )
    small, large = (
        happened(
            "commerce.purchases", number,
            commerce={"order": {"purchaseID": f"T-{number}", "priceTotal": price, "currencyCode": "EUR"}},
            productListItems=[{"SKU": "shoe-1", "quantity": 1, "priceTotal": price}],
        )
        for number, price in enumerate([40, 140])
    )  # fmt: skip

    assert send(inlet, message(small, dataset)).status_code == 401  # without the till's key
    assert send(inlet, message(small, dataset), key=key).status_code == 200
    before = sarah(api)
    assert send(inlet, message(large, dataset), key=key).status_code == 200
    after = sarah(api)

    assert segment not in before["segments"]
    assert after["segments"][segment]["status"] == "realized"
    orders = [event["body"]["commerce"]["order"] for event in after["events"]]
    assert sorted(order["priceTotal"] for order in orders) == [40, 140]


@pytest.mark.acceptance("B-41")
def test_opens_and_clicks_of_a_campaign_stream_in(api, sandbox):
    inlet, _, key = open_events(sandbox, "Message Interaction Details", "Message Execution Details")
    segment = segment_of(sandbox, 'xEvent[eventType = "message.tracking" and INTERACTION = "click"]'.replace(
        "INTERACTION", "_experience.customerJourneyManagement.messageInteraction.interactionType"
    ))  # fmt: skip
    responses = [
        happened("message.tracking", number, _experience={"customerJourneyManagement": {
            "messageExecution": {"campaignID": "spring", "messageID": "m1"},
            "messageInteraction": {"interactionType": kind},
        }})
        for number, kind in enumerate(["open", "click"])
    ]  # fmt: skip

    for response in [*responses, responses[1]]:  # a click is told twice, and counts once
        assert send(inlet, response, key=key).status_code == 200
    found = sarah(api)

    told = [event["body"]["_experience"]["customerJourneyManagement"] for event in found["events"]]
    assert sorted(each["messageInteraction"]["interactionType"] for each in told) == [
        "click",
        "open",
    ]
    assert {each["messageExecution"]["campaignID"] for each in told} == {"spring"}
    assert found["segments"][segment]["status"] == "realized"


@pytest.mark.acceptance("A-41")
@pytest.mark.parametrize("way", ["form", "api"])
def test_an_opt_out_reaches_the_profile(api, sandbox, people, way):
    choice = {"marketing": {"email": {"val": "n"}}}
    told = {"identityMap": KNOWN, "consents": {"marketing": {"email": {"val": "y"}}}}
    program = make_inlet(sandbox, people, name="Program", requires_key=True)
    key = make_key(program)
    send(program, message(told, people, operations={"data": "merge"}), key=key)
    assert sarah(api)["attributes"]["consents"]["marketing"]["email"]["val"] == "y"

    if way == "form":  # of a page with the Web SDK
        page = make_inlet(sandbox, people, door="edge", name="Page")
        consent = [{"standard": "Adobe", "version": "2.0", "value": choice}]
        answer = send(
            page, dumps({"consent": consent, "identityMap": KNOWN}),
            path=f"/ee/v1/privacy/set-consent?configId={page.pk}", content_type="text/plain",
        )  # fmt: skip
    else:
        out = {"identityMap": KNOWN, "consents": choice}
        answer = send(program, message(out, people, operations={"data": "merge"}), key=key)

    assert answer.status_code == 200, answer.content
    assert sarah(api)["attributes"]["consents"]["marketing"]["email"]["val"] == "n"
