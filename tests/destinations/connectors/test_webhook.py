"""Webhooks: what is posted, how it is signed, and what answers mean."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event

import pytest
from standardwebhooks.webhooks import Webhook
from werkzeug import Request, Response

from cdp.outgoing.accounts import Account
from cdp.outgoing.signature import new_secret
from destinations.connectors.base import DeliveryError
from destinations.connectors.webhook.connector import WebhookConnector
from tests.destinations.connectors.batches import batch, change

SECRET = new_secret()


@pytest.fixture(autouse=True)
def _loopback(settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1", "localhost"]


@pytest.fixture
def connector(httpserver):
    """A webhook to the test's receiver."""
    return _connector(httpserver)


def _connector(httpserver, **settings):
    account = {"url": httpserver.url_for("/hook"), "batch_size": 1, **settings}
    return WebhookConnector(Account(account, {"signing_secret": SECRET}))


def _received(httpserver):
    """Return the messages, each after its signature was checked by the standard's own library."""
    return [
        Webhook(SECRET).verify(request.get_data(), dict(request.headers))
        for request, _ in httpserver.log
    ]


def test_one_change_is_one_signed_message(httpserver, connector):
    httpserver.expect_request("/hook", method="POST").respond_with_data("", status=204)

    receipt = connector.deliver(batch(change()))

    assert (receipt.delivered, receipt.reference) == (1, "HTTP 204")
    assert _received(httpserver) == [
        {
            "type": "segment.entered",
            "timestamp": "2026-03-01T12:00:01.250Z",
            "data": {
                "activation_id": "act_1",
                "segment": {"id": "seg_1", "name": "Runners"},
                "id": "dlv_1",
                "sequence": 1,
                "profile_id": "prf_1",
                "attributes": {"first_name": "Sarah", "points": 120.5},
                "identities": {"email": ["sarah@luma.example"]},
            },
        }
    ]
    [(request, _)] = httpserver.log
    assert request.headers["webhook-id"] == "msg_1"
    assert request.headers["content-type"] == "application/json"
    assert "authorization" not in request.headers


def test_a_removal_says_so(httpserver, connector):
    httpserver.expect_request("/hook").respond_with_data("")

    connector.deliver(batch(change(entered=False)))

    assert [message["type"] for message in _received(httpserver)] == ["segment.exited"]


def test_several_changes_share_a_message(httpserver):
    httpserver.expect_request("/hook").respond_with_data("")

    receipt = _connector(httpserver, batch_size=10).deliver(
        batch(change(1), change(2, entered=False))
    )

    assert receipt.delivered == 2
    [message] = _received(httpserver)
    assert message["type"] == "segment.changes"
    assert message["data"]["segment"] == {"id": "seg_1", "name": "Runners"}
    assert [(each["type"], each["data"]["id"]) for each in message["data"]["changes"]] == [
        ("segment.entered", "dlv_1"),
        ("segment.exited", "dlv_2"),
    ]


def test_a_batch_sent_again_is_the_same_message(httpserver, connector):
    httpserver.expect_request("/hook").respond_with_data("")

    connector.deliver(batch(change()))
    connector.deliver(batch(change()))

    (first, _), (second, _) = httpserver.log
    assert first.get_data() == second.get_data()
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_the_authorization_goes_along_and_is_never_printed(httpserver):
    httpserver.expect_request("/hook").respond_with_data("")
    account = Account(
        {"url": httpserver.url_for("/hook"), "batch_size": 1},
        {"signing_secret": SECRET, "authorization": "Bearer hush"},
    )

    WebhookConnector(account).deliver(batch(change()))

    [(request, _)] = httpserver.log
    assert request.headers["Authorization"] == "Bearer hush"
    assert "hush" not in repr(account)
    assert SECRET not in repr(account)


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        *((status, True) for status in (301, 302, 307, 308, 400, 405, 411, 413, 415, 422)),
        *((status, False) for status in (401, 403, 404, 408, 409, 425, 429, 500, 502, 503, 504)),
    ],
)
def test_an_answer_tells_whether_another_try_can_help(httpserver, connector, status, permanent):
    httpserver.expect_request("/hook").respond_with_data(
        "", status=status, headers={"Location": "http://127.0.0.1:1/"}
    )

    with pytest.raises(DeliveryError) as refused:
        connector.deliver(batch(change()))

    assert (refused.value.permanent, refused.value.gone) == (permanent, False)
    assert str(status) in refused.value.detail
    assert len(httpserver.log) == 1


def test_a_receiver_that_is_gone_wants_nothing_more(httpserver, connector):
    httpserver.expect_request("/hook").respond_with_data("", status=410)

    with pytest.raises(DeliveryError) as refused:
        connector.deliver(batch(change()))

    assert (refused.value.permanent, refused.value.gone) == (True, True)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("30", 30, 30),
        (timedelta(minutes=5), 240, 300),
        (timedelta(minutes=-5), 0, 0),
        ("9" * 30, 86_400, 86_400),
    ],
)
def test_the_wait_that_a_receiver_asks_for_is_kept_up_to_a_day(
    httpserver, connector, header, least, most
):
    if isinstance(header, timedelta):
        header = format_datetime(datetime.now(UTC) + header, usegmt=True)
    httpserver.expect_request("/hook").respond_with_data(
        "", status=429, headers={"Retry-After": header}
    )

    with pytest.raises(DeliveryError) as refused:
        connector.deliver(batch(change()))

    assert refused.value.retry_after is not None
    assert least <= refused.value.retry_after.total_seconds() <= most


@pytest.mark.parametrize("header", ["soon", "-5", "1.5", "²", "Sun, 99 Foo 2026 00:00:00 GMT"])
def test_a_wait_that_cannot_be_read_is_none(httpserver, connector, header):
    httpserver.expect_request("/hook").respond_with_data(
        "", status=503, headers={"Retry-After": header.encode("latin-1").decode("latin-1")}
    )

    with pytest.raises(DeliveryError) as refused:
        connector.deliver(batch(change()))

    assert refused.value.retry_after is None


def test_a_receiver_that_takes_too_long_may_be_tried_again(httpserver, connector, settings):
    settings.DELIVERY_SECONDS = 0.1
    enough = Event()

    def dawdle(_: Request) -> Response:
        enough.wait(5)
        return Response()

    httpserver.expect_request("/hook").respond_with_handler(dawdle)

    with pytest.raises(DeliveryError, match="No answer within") as refused:
        connector.deliver(batch(change()))

    enough.set()
    while not httpserver.log:  # so that it does not fall into the next test
        time.sleep(0.01)
    assert not refused.value.permanent


def test_an_inner_address_is_refused_for_good(httpserver, settings):
    settings.ALLOWED_PRIVATE_HOSTS = []
    account = {"url": f"https://localhost:{httpserver.port}/hook", "batch_size": 1}

    with pytest.raises(DeliveryError, match="private network") as refused:
        WebhookConnector(Account(account, {"signing_secret": SECRET})).deliver(batch(change()))

    assert refused.value.permanent
    assert httpserver.log == []


def test_a_test_message_says_that_it_is_one(httpserver, connector):
    httpserver.expect_request("/hook").respond_with_data("")

    found = connector.test()

    assert found.startswith("The receiver answered 200 in ")
    assert [message["type"] for message in _received(httpserver)] == ["connection.test"]
