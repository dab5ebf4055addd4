"""Trackers' messages: how they are taken, and what XDM they become."""

import gzip
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from orjson import dumps, loads

from cdp.datasets.mapping.rules import Rule, compile_mapping
from cdp.datasets.models import RejectedRecord
from cdp.datasets.segment.default import SECTIONS, defaults
from cdp.datasets.segment.messages import happened_at
from cdp.datasets.services.settling import reject
from cdp.schemas.selectors import compiled_schemas
from cdp.tenancy.scope import scope
from tests.datasets.making import (
    ACTOR,
    EVENT_GROUPS,
    make_dataset,
    make_inlet,
    make_key,
    make_schema,
    send,
)
from tests.datasets.test_collection import queued
from tests.datasets.test_ingestion import prepared

NOW = "2026-11-20T10:00:00.000Z"
TRACK = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u1",
    "anonymousId": "a1",
    "messageId": "m1",
    "timestamp": NOW,
    "context": {
        "page": {"url": "https://luma.example/cart", "title": "Cart", "referrer": ""},
        "userAgent": "Mozilla/5.0",
        "ip": "203.0.113.7",
        "campaign": {"name": "spring", "source": "mail"},
    },
    "properties": {
        "order_id": "o1",
        "revenue": 25,
        "currency": "EUR",
        "plan": "Gold",
        "products": [
            {"sku": "S1", "name": "Shoe", "price": 10, "quantity": 2},
            {"sku": "S2", "name": "Sock", "price": 5},
        ],
    },
}


@pytest.fixture
def own():
    return {"plan": {"type": "string"}, "score": {"type": "integer"}}


@pytest.fixture
def tracker(sandbox, own):
    events = make_dataset(sandbox, schema=make_schema(sandbox, own=own))
    people = make_dataset(
        sandbox,
        name="People",
        schema=make_schema(sandbox, title="People", events=False, own=own),
    )
    return make_inlet(sandbox, events, people, door="segment", requires_key=True)


def call(inlet, endpoint, body, key=None, **headers):
    given = key or make_key(inlet)
    basic = b64encode(f"{given}:".encode()).decode()
    return send(inlet, body, path=f"/v1/{endpoint}", HTTP_AUTHORIZATION=f"Basic {basic}", **headers)


def test_a_track_call_becomes_an_event(sandbox, tracker):
    response = call(tracker, "track", TRACK)

    assert (response.status_code, response.json()) == (200, {"success": True})
    (accepted,) = prepared(sandbox, now=datetime(2026, 11, 20, 12, tzinfo=UTC)).accepted
    tenant = f"_{sandbox.organization.tenant_namespace}"
    assert accepted.record == {
        "_id": "m1",
        "timestamp": "2026-11-20T10:00:00Z",
        "eventType": "commerce.purchases",
        "identityMap": {
            "UserId": [{"id": "u1", "authenticatedState": "authenticated", "primary": True}],
            "AnonymousId": [{"id": "a1", "authenticatedState": "ambiguous", "primary": False}],
        },
        "web": {"webPageDetails": {"URL": "https://luma.example/cart", "name": "Cart"}},
        "environment": {"browserDetails": {"userAgent": "Mozilla/5.0"}, "ipV4": "203.0.113.7"},
        "marketing": {"campaignName": "spring", "campaignGroup": "mail"},
        "commerce": {
            "purchases": {"value": 1.0},
            "order": {
                "purchaseID": "o1",
                "priceTotal": 25.0,
                "currencyCode": "EUR",
                "payments": [{"paymentAmount": 25.0, "currencyCode": "EUR"}],
            },
        },
        "productListItems": [
            {"SKU": "S1", "name": "Shoe", "quantity": 2, "currencyCode": "EUR", "priceTotal": 20.0},
            {"SKU": "S2", "name": "Sock", "currencyCode": "EUR", "priceTotal": 5.0},
        ],
        tenant: {"plan": "Gold"},
    }


def test_an_identify_call_merges_into_the_person(sandbox, tracker):
    traits = {"email": "sarah@luma.example", "firstName": "Sarah", "plan": "Gold", "gender": "F"}
    call(tracker, "identify", {"userId": "u1", "context": {"traits": traits}})

    (accepted,) = prepared(sandbox).accepted

    assert (accepted.operation, accepted.dataset.behavior) == ("merge", "record")
    assert accepted.record["person"] == {"name": {"firstName": "Sarah"}, "gender": "female"}
    assert accepted.record["personalEmail"] == {"address": "sarah@luma.example"}
    assert accepted.record["identityMap"]["Email"] == [
        {"id": "sarah@luma.example", "authenticatedState": "ambiguous", "primary": False}
    ]


def test_an_alias_call_joins_two_ids(sandbox, tracker):
    call(tracker, "alias", {"userId": "u1", "previousId": "a1"})

    (accepted,) = prepared(sandbox).accepted

    assert {key: [i["id"] for i in ids] for key, ids in accepted.record["identityMap"].items()} == {
        "UserId": ["u1"],
        "AnonymousId": ["a1"],
    }


def test_each_message_of_a_batch_goes_its_way(sandbox, tracker):
    page = {"type": "page", "anonymousId": "a1", "name": "Home", "messageId": "p1"}
    nobody = {"type": "track", "event": "X", "messageId": "n1"}
    unknown = {"type": "jump", "userId": "u1"}
    batch = {"batch": [TRACK, page, nobody, unknown], "sentAt": NOW}

    assert call(tracker, "batch", batch).status_code == 200

    assert [item.count for item in queued(sandbox)] == [4]
    result = prepared(sandbox)
    assert [each.record["eventType"] for each in result.accepted] == [
        "commerce.purchases",
        "web.webpagedetails.pageViews",
    ]
    assert [(each.position, each.errors[0]["code"]) for each in result.rejected] == [
        (2, "nobody"),
        (3, "unknown_type"),
    ]


def test_message_ids_are_unique_within_a_write_key(sandbox, tracker):
    first, second = make_key(tracker), make_key(tracker)
    for key in (first, first, second):
        call(tracker, "track", TRACK, key=key)

    scopes = [each.dedup_scope for each in prepared(sandbox).accepted]

    assert scopes[0] == scopes[1] != scopes[2]


@pytest.mark.parametrize(
    ("original", "sent", "corrects", "expected"),
    [
        (0, 0, True, 0),
        (-10, 0, True, -10),
        (3_600, 3_610, True, -10),  # the client's clock is an hour ahead
        (-86_400, -86_395, True, -5),  # or a day behind
        (-86_400, None, True, -86_400),
        (-86_400, -86_395, False, -86_400),  # history is imported as it is
        (None, 0, True, 0),
    ],
)
def test_a_wrong_clock_is_set_right(original, sent, corrects, expected):
    received = datetime(2026, 11, 20, tzinfo=UTC)

    def at(seconds):
        return None if seconds is None else received + timedelta(seconds=seconds)

    message = {"timestamp": original is not None and at(original).isoformat()}

    assert happened_at(message, received_at=received, sent_at=at(sent), corrects=corrects) == at(
        expected
    )


def test_packed_bodies_are_taken_under_any_label(sandbox, tracker):
    packed = gzip.compress(dumps({"batch": [TRACK], "sentAt": NOW}))
    label = "application/x-www-form-urlencoded"

    assert call(tracker, "batch", packed, content_type=label).status_code == 200
    assert call(tracker, "batch", packed, HTTP_CONTENT_ENCODING="gzip").status_code == 200
    assert len(queued(sandbox)) == 2


def test_the_key_may_be_in_the_body_alone(sandbox, tracker):
    body = {**TRACK, "writeKey": make_key(tracker)}

    response = send(tracker, dumps(body), path="/v1/t", content_type="text/plain")

    assert response.status_code == 200
    assert len(queued(sandbox)) == 1


REFUSALS = {
    "malformed": (b"{", 400),
    "list": (b"[]", 400),
    "no batch": (b"{}", 400),
    "large": (b'{"a": "' + b"x" * 5_000_000 + b'"}', 400),
}


@pytest.mark.parametrize(("body", "status"), list(REFUSALS.values()), ids=list(REFUSALS))
def test_what_cannot_be_read_is_a_400_that_says_why(sandbox, tracker, body, status):
    response = call(tracker, "batch", body)

    assert response.status_code == status
    assert response.json()["code"]
    assert response.json()["message"]
    assert queued(sandbox) == []


def test_an_unknown_key_is_a_401(sandbox, tracker):
    response = call(tracker, "track", TRACK, key="nonsense")

    assert (response.status_code, response.json()["code"]) == (401, "write_key_refused")
    assert queued(sandbox) == []


def test_overload_tells_when_to_come_back(sandbox, tracker, settings):
    settings.QUEUE_BACKLOG_LIMIT = 0

    response = call(tracker, "track", TRACK)

    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0


def test_a_page_of_another_site_may_call(client, tracker):
    asked = client.options("/v1/t", HTTP_ORIGIN="https://shop.example",
                           HTTP_ACCESS_CONTROL_REQUEST_HEADERS="authorization")  # fmt: skip
    answered = call(tracker, "t", TRACK, HTTP_ORIGIN="https://shop.example")

    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Headers"] == "authorization"
    assert answered.headers["Access-Control-Allow-Origin"] == "https://shop.example"


def test_browser_trackers_learn_where_to_send(client, tracker):
    key = make_key(tracker)

    segment = client.get(f"/v1/projects/{key}/settings").json()
    rudder = client.get(f"/sourceConfig/?writeKey={key}").json()

    assert segment["integrations"]["Segment.io"] == {
        "apiKey": key,
        "apiHost": "testserver/v1",
        "protocol": "http",
    }
    assert (rudder["source"]["writeKey"], rudder["source"]["enabled"]) == (key, True)
    assert client.get("/v1/projects/nonsense/settings").status_code == 404


def test_an_inlet_may_change_the_mapping(api, sandbox, tracker):
    tenant = f"_{sandbox.organization.tenant_namespace}"
    settings = {
        "namespaces": {"user": "CRMID", "email": ""},
        "event_types": {"Signed Up": "account.created"},
        "rules": {"event": [[f"{tenant}.score", "size_of(event)"], ["environment.ipV4", ""]]},
    }

    changed = api.patch(f"/api/v1/inlets/{tracker.pk}/", {"settings": settings})
    call(tracker, "track", {**TRACK, "event": "Signed Up", "properties": {}})

    assert changed.status_code == 200
    (accepted,) = prepared(sandbox, now=datetime(2026, 11, 20, 12, tzinfo=UTC)).accepted
    assert accepted.record["eventType"] == "account.created"
    assert accepted.record[tenant] == {"score": 9}
    assert "ipV4" not in accepted.record["environment"]
    assert set(accepted.record["identityMap"]) == {"CRMID", "AnonymousId"}


def test_a_mapping_that_cannot_be_applied_is_refused(api, tracker):
    settings = {"rules": {"track": [["no.such.field", "event"], ["web", "1 +"], "x"]}, "foo": 1}

    response = api.patch(f"/api/v1/inlets/{tracker.pk}/", {"settings": settings})

    assert response.status_code == 422
    assert {error["path"] for error in response.json()["errors"]} == {
        "settings.foo",
        "settings.rules.track.0",
        "settings.rules.track.1",
        "settings.rules.track.2",
    }
    assert api.get(f"/api/v1/inlets/{tracker.pk}/").json()["settings"] == {}


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"event_types": ["Signed Up"]}, "settings.event_types"),
        ({"event_types": {"Signed Up": 5}}, "settings.event_types.Signed Up"),
        ({"namespaces": ["user"]}, "settings.namespaces"),
        ({"namespaces": {"user": {"code": "CRMID"}}}, "settings.namespaces.user"),
    ],
)
def test_settings_that_would_stop_every_message_are_refused(api, tracker, settings, path):
    response = api.patch(f"/api/v1/inlets/{tracker.pk}/", {"settings": settings})

    assert response.status_code == 422
    assert [error["path"] for error in response.json()["errors"]] == [path]


def test_every_default_rule_has_a_place_in_the_standard_schemas(sandbox):
    groups = ("Search Details",)
    events = make_schema(sandbox, groups=(*EVENT_GROUPS, *groups))
    people = make_schema(sandbox, title="People", events=False)
    with scope(sandbox, ACTOR):
        schemas = compiled_schemas(sandbox, [events.pk, people.pk])

    for section in SECTIONS:
        schema = schemas[people.pk if section == "person" else events.pk]
        rules = [Rule("expression", source, path) for path, source in defaults()[section]]
        _, errors = compile_mapping(rules, schema.fields)
        assert [error for error in errors if error["code"] != "required_unmapped"] == []


def test_a_value_that_does_not_fit_puts_the_message_aside(sandbox, tracker):
    call(tracker, "track", {**TRACK, "properties": {"score": "many"}})

    (aside,) = prepared(sandbox).rejected

    assert aside.record["properties"] == {"score": "many"}
    assert aside.errors[0]["code"] == "mapping_failed"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"type": ["track"]}, "unknown_type"),
        ({"type": {}}, "unknown_type"),
        ({"timestamp": "0001-01-01T00:00:00Z", "sentAt": NOW}, "time_out_of_range"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "time_out_of_range"),
        ({"timestamp": "9999-12-31T23:59:59-14:00", "sentAt": NOW}, "time_out_of_range"),
    ],
)
def test_an_impossible_message_is_put_aside_and_its_neighbours_go_through(
    sandbox, tracker, wrong, code
):
    call(tracker, "batch", {"batch": [{**TRACK, "messageId": "m0", **wrong}, TRACK]})

    result = prepared(sandbox, now=datetime(2026, 11, 20, 12, tzinfo=UTC))

    assert [each.event_id for each in result.accepted] == ["m1"]
    assert [error["code"] for each in result.rejected for error in each.errors] == [code]


def test_a_clock_that_says_nonsense_at_the_sending_corrects_nothing(sandbox, tracker):
    call(tracker, "track", {**TRACK, "sentAt": "9999-12-31T00:00:00Z"})

    (accepted,) = prepared(sandbox, now=datetime(2026, 11, 20, 12, tzinfo=UTC)).accepted

    assert accepted.timestamp == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_a_number_that_nothing_can_hold_puts_its_message_aside_alone(sandbox, tracker):
    much = {**TRACK, "messageId": "m0", "properties": {"score": "9" * 30}}
    call(tracker, "batch", {"batch": [much, TRACK]})

    result = prepared(sandbox, now=datetime(2026, 11, 20, 12, tzinfo=UTC))
    with scope(sandbox, ACTOR):
        reject(sandbox, result.rejected)
        [aside] = RejectedRecord.objects.for_sandbox(sandbox)

    assert [each.event_id for each in result.accepted] == ["m1"]
    assert (aside.position, loads(aside.raw)["properties"]["score"]) == (0, "9" * 30)
