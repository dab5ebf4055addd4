"""What an inlet takes is also sent elsewhere, and neither waits for the other."""

import base64
import hashlib
import hmac

import pytest

from cdp import queue
from cdp.datasets.doors import inlets
from cdp.datasets.forwarding.records import ForwardingFailed
from cdp.datasets.topics import RECORDS_FORWARDED, RECORDS_RECEIVED
from cdp.queue.models import QueueItem
from cdp.tenancy.scope import scope
from tests.datasets.making import ACTOR, event, make_dataset, make_inlet, send


@pytest.fixture(autouse=True)
def noticed_at_once(monkeypatch, settings):
    monkeypatch.setattr(inlets, "KEPT_SECONDS", 0)
    settings.ALLOWED_PRIVATE_HOSTS = ["localhost"]


@pytest.fixture
def inlet(sandbox):
    return make_inlet(sandbox, make_dataset(sandbox))


def make_rule(api, httpserver, **values):
    response = api.post(
        "/api/v1/forwarding-rules/",
        {"name": "Analytics", "url": httpserver.url_for("/sink"), **values},
    )
    assert response.status_code == 201, response.json()
    return response.json()


def waiting(sandbox, topic):
    with scope(sandbox, ACTOR):
        return list(QueueItem.objects.for_sandbox(sandbox).filter(topic=topic))


@pytest.mark.acceptance("D-02")
def test_an_event_goes_to_the_platform_and_to_an_analytics_sink(api, sandbox, inlet, httpserver):
    httpserver.expect_request("/sink", method="POST").respond_with_json({})
    rule = make_rule(api, httpserver)

    receipt = send(inlet, [event(1), event(2)]).json()["xactionId"]
    queue.drain([RECORDS_FORWARDED])

    ((request, _),) = httpserver.log
    body = request.get_json()
    assert body["receipt_id"] == receipt
    assert [each["record"]["_id"] for each in body["records"]] == ["event-1", "event-2"]
    assert request.headers["webhook-id"] == f"{receipt}.{rule['id']}"
    key = base64.b64decode(rule["signing_secret"].removeprefix("whsec_") + "==")
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
    digest = hmac.new(key, signed + request.get_data(), hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert len(waiting(sandbox, RECORDS_RECEIVED)) == 1
    assert "signing_secret" not in api.get(f"/api/v1/forwarding-rules/{rule['id']}/").json()


def test_only_wanted_inlets_and_event_types_are_sent_on(api, sandbox, inlet, httpserver):
    httpserver.expect_request("/sink").respond_with_json({})
    other = make_inlet(sandbox, make_dataset(sandbox, name="Other"), name="Other")
    make_rule(api, httpserver, inlet_ids=[inlet.pk], event_types=["commerce.purchases"])

    send(inlet, [event(1), event(2, eventType="commerce.purchases")])
    send(inlet, event(3))
    send(other, event(4, eventType="commerce.purchases"))
    queue.drain([RECORDS_FORWARDED])

    sent = [
        r["record"]["_id"] for request, _ in httpserver.log for r in request.get_json()["records"]
    ]
    assert sent == ["event-2"]


def test_a_sink_that_is_away_is_tried_again_and_holds_nobody_up(api, sandbox, inlet, httpserver):
    httpserver.expect_ordered_request("/sink").respond_with_data("", status=503)
    httpserver.expect_ordered_request("/sink").respond_with_data("", status=200)
    make_rule(api, httpserver)

    assert send(inlet, event(1)).status_code == 200
    with pytest.raises(ForwardingFailed):
        queue.drain([RECORDS_FORWARDED])
    assert len(waiting(sandbox, RECORDS_FORWARDED)) == 1
    with scope(sandbox, ACTOR):
        from django.utils import timezone

        QueueItem.objects.for_sandbox(sandbox).update(available_at=timezone.now(), claim=None)
    queue.drain([RECORDS_FORWARDED])

    assert waiting(sandbox, RECORDS_FORWARDED) == []
    assert len({request.headers["webhook-id"] for request, _ in httpserver.log}) == 1


def test_what_the_sink_refuses_is_put_aside_with_its_answer(api, sandbox, inlet, httpserver):
    httpserver.expect_request("/sink").respond_with_data("", status=410)
    make_rule(api, httpserver)

    send(inlet, event(1))
    queue.drain([RECORDS_FORWARDED])

    (buried,) = waiting(sandbox, RECORDS_FORWARDED)
    assert buried.buried_at is not None
    assert "410" in buried.error


def test_a_rule_that_is_switched_off_sends_nothing(api, sandbox, inlet, httpserver):
    rule = make_rule(api, httpserver)
    send(inlet, event(1))

    api.patch(f"/api/v1/forwarding-rules/{rule['id']}/", {"enabled": False})
    queue.drain([RECORDS_FORWARDED])
    send(inlet, event(2))

    assert httpserver.log == []
    assert waiting(sandbox, RECORDS_FORWARDED) == []


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"url": "http://sink.example/x"}, "url"),
        ({"url": "ftp://sink.example/x"}, "url"),
        ({"inlet_ids": ["inl_unknown"]}, "inlet_ids.0"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(api, values, path):
    response = api.post(
        "/api/v1/forwarding-rules/", {"name": "X", "url": "https://sink.example/", **values}
    )

    assert response.status_code == 422
    assert [error["path"] for error in response.json()["errors"]] == [path]
    assert api.get("/api/v1/forwarding-rules/").json()["results"] == []
