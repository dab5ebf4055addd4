"""Somebody fills a cart, enters a segment, buys, leaves it; a receiver outside hears of both."""

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

SARAH = "sarah@luma.example"


def _happened(kind):
    left = {"field": "eventType"}
    where = {"type": "compare", "operator": "=", "left": left, "right": kind}
    return {"type": "events", "where": where}


ABANDONED = {
    "type": "all",
    "of": [
        _happened("commerce.productListAdds"),
        {"type": "not", "of": _happened("commerce.purchases")},
    ],
}


@pytest.mark.acceptance("A-86")
@pytest.mark.acceptance("D-48")
def test_a_receiver_hears_of_the_cart_and_of_the_purchase_each_once(sandbox, httpserver, settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["localhost"]
    settings.DELIVERY_DELAYS = [timedelta(0)] * 5
    httpserver.expect_ordered_request("/hook").respond_with_data("", status=500)
    httpserver.expect_request("/hook").respond_with_data("")
    shop = open_shop(sandbox)
    shop.person(SARAH, person={"name": {"firstName": "Sarah"}})
    segment, secret = _activated(sandbox, httpserver.url_for("/hook"))

    for _ in range(2):
        shop.event(SARAH, "commerce.productListAdds", key="cart")
    shop.event(SARAH, "commerce.purchases", key="purchase")

    received = [
        (
            request.headers["webhook-id"],
            Webhook(secret).verify(request.get_data(), dict(request.headers)),
        )
        for request, _ in httpserver.log
    ]
    assert len(received) == 3  # the first was refused, and came again under its id
    assert received[0] == received[1]
    entered, exited = dict(received).values()
    assert (entered["type"], exited["type"]) == ("segment.entered", "segment.exited")
    assert entered["data"]["segment"] == {"id": segment.pk, "name": "Abandoned carts"}
    for message in (entered, exited):
        assert message["data"]["attributes"] == {"first_name": "Sarah"}
        assert message["data"]["identities"] == {"email": [SARAH]}


def _activated(sandbox, url):
    with scope(sandbox, ACTOR):
        segment = create_segment(
            actor=ACTOR, sandbox=sandbox, name="Abandoned carts", rule=ABANDONED
        )
        publish_segment(actor=ACTOR, segment=segment)
        connection, made = create_connection(
            sandbox=sandbox,
            actor=ACTOR,
            name="E-mail tool",
            kind="webhook",
            settings={"url": url},
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
    return segment, made["signing_secret"]
