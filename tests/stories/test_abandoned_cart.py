"""A cart is left behind: time brings its owner into a segment, a purchase takes her out at once.

Everything goes through the doors that the outside has: the API, the collection door,
and a receiver of webhooks.
"""

from datetime import UTC, datetime, timedelta

import pytest
from oauth2_provider.models import get_access_token_model
from standardwebhooks.webhooks import Webhook

from cdp.queue import drain
from tests.datasets.making import make_inlet, make_key, send
from tests.segments.shop import open_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

SARAH, BEN = "sarah@luma.example", "ben@luma.example"
CART, BUY = "commerce.productListAdds", "commerce.purchases"
ABANDONED = (
    f'xEvent[eventType = "{CART}" and timestamp occurs >= 30 minutes before now'
    " and timestamp occurs <= 7 days before now]"
    f' and not xEvent[eventType = "{BUY}" and timestamp occurs <= 7 days before now]'
)


@pytest.fixture
def door(sandbox):
    """A way to have something happen to somebody, through the collection door."""
    inlet = make_inlet(sandbox, open_shop(sandbox).events)
    key = make_key(inlet)

    def happen(email: str, kind: str, at: datetime) -> None:
        event = {
            "timestamp": at.isoformat(timespec="milliseconds"),
            "eventType": kind,
            "identityMap": {"Email": [{"id": email, "primary": True}]},
        }
        answer = send(inlet, [event], key=key)
        assert answer.status_code == 200, answer.content
        drain()

    return happen


@pytest.fixture
def receiver(api, door, httpserver, settings):
    """What a receiver outside is told of the segment, as it reads it."""
    settings.ALLOWED_PRIVATE_HOSTS = ["localhost"]
    httpserver.expect_request("/hook").respond_with_data("")
    get_access_token_model().objects.update(expires=datetime(2099, 1, 1, tzinfo=UTC))
    segment = made(api, "segments/", name="Abandoned carts", text=ABANDONED)["id"]
    assert api.post(f"/api/v1/segments/{segment}/publish/").status_code == 200
    connection = made(
        api,
        "destination-connections/",
        name="E-mail tool",
        kind="webhook",
        settings={"url": httpserver.url_for("/hook")},
        marketing_actions=["emailTargeting"],
    )
    made(
        api,
        "activations/",
        connection_id=connection["id"],
        segment_id=segment,
        mapping=[{"identity": "Email", "target": "email"}],
    )
    drain()

    def told() -> list[tuple[str, str]]:
        read = Webhook(connection["made_secrets"]["signing_secret"])
        bodies = [read.verify(asked.get_data(), dict(asked.headers)) for asked, _ in httpserver.log]
        return [(body["type"], body["data"]["identities"]["email"][0]) for body in bodies]

    told.segment = segment
    return told


def made(api, resource, **body):
    answer = api.post(f"/api/v1/{resource}", body)
    assert answer.status_code == 201, answer.json()
    return answer.json()


def status(api, receiver, email):
    profile = api.get(f"/api/v1/profiles/?identity=Email:{email}").json()
    return profile["segments"].get(receiver.segment, {}).get("status")


@pytest.mark.acceptance("D-16")
def test_an_abandoned_cart_brings_its_visitor_back(api, door, receiver, clock):
    clock.move(seconds=1)
    left_at = clock.now
    door(SARAH, CART, left_at)
    clock.move(minutes=29)
    drain()
    assert receiver() == []

    clock.move(to=left_at + timedelta(minutes=30))
    drain()  # nothing has happened but the time

    assert receiver() == [("segment.entered", SARAH)]
    assert status(api, receiver, SARAH) == "realized"


@pytest.mark.acceptance("D-48")
def test_a_purchase_ends_the_membership_at_once_and_the_destination_hears_of_it(
    api, door, receiver, clock
):
    clock.move(seconds=1)
    for email in (SARAH, BEN):
        door(email, CART, clock.now - timedelta(minutes=31))
    assert sorted(receiver()) == [("segment.entered", BEN), ("segment.entered", SARAH)]

    door(SARAH, BUY, clock.now)

    assert receiver()[2:] == [("segment.exited", SARAH)]
    assert status(api, receiver, SARAH) == "exited"
    assert status(api, receiver, BEN) == "realized"
