"""A purchase comes in, its buyer enters a segment, and somebody outside hears of it."""

from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from cdp.queue import drain
from cdp.tenancy.scope import scope
from destinations.services.activations import create_activation
from destinations.services.connections import create_connection
from segments.services.lifecycle import create_segment, publish_segment
from tests.segments.shop import ACTOR, open_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

RECENT_BUYERS = {
    "type": "events",
    "where": {
        "type": "compare",
        "operator": "=",
        "left": {"field": "eventType"},
        "right": "commerce.purchases",
    },
}


def test_a_buyer_enters_a_segment_and_the_webhook_says_so(sandbox, httpserver, settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["localhost"]
    settings.DELIVERY_DELAYS = [timedelta(0)] * 5
    httpserver.expect_ordered_request("/hook").respond_with_data("", status=500)
    httpserver.expect_request("/hook").respond_with_data("")
    shop = open_shop(sandbox)
    shop.person("sarah@luma.example", person={"name": {"firstName": "Sarah"}})
    with scope(sandbox, ACTOR):
        segment = create_segment(actor=ACTOR, sandbox=sandbox, name="Buyers", rule=RECENT_BUYERS)
        publish_segment(actor=ACTOR, segment=segment)
        connection, made = create_connection(
            sandbox=sandbox,
            actor=ACTOR,
            name="E-mail tool",
            kind="webhook",
            settings={"url": httpserver.url_for("/hook")},
            marketing_actions=["emailTargeting"],
        )
        create_activation(
            sandbox=sandbox,
            actor=ACTOR,
            connection_id=connection.pk,
            segment_id=segment.pk,
            mapping=[
                {"attribute": "person.name.firstName", "target": "first_name"},
                {"identity": "Email", "target": "email"},
            ],
        )
    drain()

    shop.event("sarah@luma.example", "commerce.purchases", key="purchase-1")
    shop.event("sarah@luma.example", "commerce.purchases", key="purchase-1")

    secret = made["signing_secret"]
    messages = [
        (
            request.headers["webhook-id"],
            Webhook(secret).verify(request.get_data(), dict(request.headers)),
        )
        for request, _ in httpserver.log
    ]
    assert len(messages) == 2  # one refused, and the same again
    assert messages[0] == messages[1]
    [(_, message)] = dict(messages).items()
    assert message["type"] == "segment.entered"
    assert message["data"]["segment"] == {"id": segment.pk, "name": "Buyers"}
    assert message["data"]["attributes"] == {"first_name": "Sarah"}
    assert message["data"]["identities"] == {"email": ["sarah@luma.example"]}
