"""The Web SDK's door: ids, events, choices and what a page may be told."""

import pytest
from orjson import dumps

from cdp.api.registries import interact_answers
from cdp.datasets.edge.ecid import from_cookie, is_ecid, to_cookie
from cdp.errors import Unavailable
from tests.datasets.making import make_dataset, make_inlet, make_schema, send
from tests.datasets.test_collection import queued
from tests.datasets.test_ingestion import prepared

ECID = "12345678901234567890123456789012345678"
XDM = {
    "eventType": "commerce.productViews",
    "timestamp": "2026-11-20T10:00:00.000Z",
    "web": {"webPageDetails": {"URL": "https://luma.example/p/1"}},
}


@pytest.fixture
def page(sandbox):
    events = make_dataset(sandbox)
    groups = ("Consents and Preferences", "IdentityMap")
    schema = make_schema(sandbox, title="People", events=False, groups=groups)
    people = make_dataset(sandbox, name="People", schema=schema)
    return make_inlet(sandbox, events, people, door="edge")


def ask(inlet, action, body, *, path="/ee/v1", request_id="req-0001", **headers):
    return send(
        inlet,
        dumps(body),
        path=f"{path}/{action}?configId={inlet.pk}&requestId={request_id}",
        content_type="text/plain; charset=UTF-8",
        HTTP_ORIGIN="https://luma.example",
        **headers,
    )


def handles(response):
    assert response.status_code == 200, response.content
    return {
        (handle["type"], entry.get("key", "").rpartition("_")[2]): entry
        for handle in response.json()["handle"]
        for entry in handle["payload"]
    }


@pytest.mark.acceptance("A-05")
@pytest.mark.acceptance("D-01")
def test_a_new_visitor_gets_an_id_and_the_event_is_taken(sandbox, page):
    response = ask(page, "interact", {"events": [{"xdm": XDM}]}, HTTP_USER_AGENT="Browser/1")

    told = handles(response)
    ecid = told["identity:result", ""]["id"]
    assert is_ecid(ecid)
    assert from_cookie(told["state:store", "identity"]["value"]) == ecid
    assert response.json()["requestId"] == "req-0001"
    assert response.headers["Access-Control-Allow-Origin"] == "https://luma.example"
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    (accepted,) = prepared(sandbox).accepted
    assert accepted.event_id == "req-0001-0"
    assert accepted.record["identityMap"] == {
        "ECID": [{"id": ecid, "authenticatedState": "ambiguous", "primary": True}]
    }
    assert accepted.record["environment"] == {
        "browserDetails": {"userAgent": "Browser/1"},
        "ipV4": "127.0.0.1",
    }
    assert accepted.record["web"] == XDM["web"]


@pytest.mark.parametrize("where", ["cookie", "body", "identityMap"])
def test_a_known_visitor_is_recognised(page, where):
    key = "kndctr_LUMA_CdpOrg_identity"
    entry = {"key": key, "value": to_cookie(ECID)}
    body = {"events": [{"xdm": XDM}]}
    headers = {}
    if where == "cookie":
        headers["HTTP_COOKIE"] = f"{key}={to_cookie(ECID)}"
    elif where == "body":
        body["meta"] = {"state": {"domain": "luma.example", "entries": [entry]}}
    else:
        body["xdm"] = {"identityMap": {"ECID": [{"id": ECID}]}}

    response = ask(page, "interact", body, **headers)

    assert handles(response)["identity:result", ""]["id"] == ECID


@pytest.mark.acceptance("A-06")
def test_a_phone_names_its_person_for_all_events(sandbox, page):
    body = {
        "xdm": {"identityMap": {"ECID": [{"id": ECID}], "Email": [{"id": "s@luma.example"}]}},
        "events": [{"xdm": XDM}, {"xdm": XDM}],
    }

    ask(page, "interact", body)

    accepted = prepared(sandbox).accepted
    assert [each.event_id for each in accepted] == ["req-0001-0", "req-0001-1"]
    assert {each.record["identityMap"]["Email"][0]["id"] for each in accepted} == {"s@luma.example"}


@pytest.mark.acceptance("D-06")
def test_whom_the_page_names_is_the_primary_one(sandbox, page):
    known = {"Email": [{"id": "s@luma.example", "primary": True}]}

    ask(page, "interact", {"events": [{"xdm": {**XDM, "identityMap": known}}]})

    (accepted,) = prepared(sandbox).accepted
    assert accepted.record["identityMap"]["Email"] == known["Email"]
    assert accepted.record["identityMap"]["ECID"][0]["primary"] is False


def test_a_repeated_request_brings_the_same_ids(sandbox, page):
    for _ in range(2):
        ask(page, "interact", {"events": [{"xdm": XDM}]})

    assert [each.event_id for each in prepared(sandbox).accepted] == ["req-0001-0"] * 2


def test_a_page_that_is_left_gets_no_answer(sandbox, page):
    response = ask(page, "collect", {"events": [{"xdm": XDM}]})

    assert (response.status_code, response.content) == (204, b"")
    assert len(queued(sandbox)) == 1


@pytest.mark.parametrize("path", ["/ee/irl1/v1", "/ee/v2", "/ee//v1"])
def test_the_address_may_carry_a_hint(page, path):
    assert ask(page, "interact", {"events": [{"xdm": XDM}]}, path=path).status_code == 200


def test_an_id_can_be_had_before_anything_happens(sandbox, page):
    response = ask(page, "identity/acquire", {"query": {"identity": {"fetch": ["ECID"]}}})

    assert is_ecid(handles(response)["identity:result", ""]["id"])
    assert queued(sandbox) == []


@pytest.mark.parametrize(
    ("version", "value", "cookie", "stored"),
    [
        ("1.0", {"general": "in"}, "general=in", {"collect": {"val": "y"}}),
        ("1.0", {"general": "out"}, "general=out", {"collect": {"val": "n"}}),
        (
            "2.0",
            {"collect": {"val": "y"}, "marketing": {"email": {"val": "n"}}},
            "general=in",
            {"collect": {"val": "y"}, "marketing": {"email": {"val": "n"}}},
        ),
    ],
)
def test_a_choice_reaches_the_profile_and_the_cookie(sandbox, page, version, value, cookie, stored):
    choice = {"standard": "Adobe", "version": version, "value": value}

    response = ask(page, "privacy/set-consent", {"consent": [choice]})

    told = handles(response)
    assert told["state:store", "consent"]["value"] == cookie
    (accepted,) = prepared(sandbox).accepted
    assert accepted.operation == "merge"
    assert accepted.record["consents"] == stored
    assert accepted.record["identityMap"]["ECID"][0]["id"] == told["identity:result", ""]["id"]


def test_who_has_refused_is_not_collected(sandbox, page):
    entry = {"key": "kndctr_LUMA_CdpOrg_consent", "value": "general=out"}

    response = ask(
        page, "interact", {"events": [{"xdm": XDM}], "meta": {"state": {"entries": [entry]}}}
    )

    assert response.status_code == 200
    assert queued(sandbox) == []


def test_apps_above_add_their_part_and_may_be_away(monkeypatch, page):
    def away(sandbox, asked):
        raise Unavailable("The event store is away.")

    def segments(sandbox, asked):
        return [{"type": "activation:push", "payload": [{"ecid": asked.ecid}]}]

    monkeypatch.setattr(interact_answers, "_entries", {"away": away, "segments": segments})

    answer = ask(page, "interact", {"events": [{"xdm": XDM}]}).json()

    assert [handle["type"] for handle in answer["handle"]] == [
        "identity:result",
        "state:store",
        "activation:push",
    ]
    assert [warning["report"] for warning in answer["warnings"]] == ["away"]


def test_the_page_s_own_data_can_be_mapped(api, sandbox, page):
    rules = [["marketing.campaignName", "data.campaign"]]
    changed = api.patch(f"/api/v1/inlets/{page.pk}/", {"settings": {"rules": rules}})

    ask(page, "interact", {"events": [{"xdm": XDM, "data": {"campaign": "spring"}}]})

    assert changed.json()["settings"]["org_id"].endswith("@CdpOrg")
    (accepted,) = prepared(sandbox).accepted
    assert accepted.record["marketing"] == {"campaignName": "spring"}


def test_only_listed_pages_may_send(api, page):
    api.patch(f"/api/v1/inlets/{page.pk}/", {"settings": {"origins": ["https://other.example"]}})

    response = ask(page, "interact", {"events": [{"xdm": XDM}]})

    assert response.status_code == 403


@pytest.mark.parametrize(
    "body",
    [[], {"events": "x"}, {"events": [1]}, {"events": [{"xdm": 1}]},
     {"events": [{"xdm": {"identityMap": []}}]}, {"meta": []}, {"xdm": 5}],
)  # fmt: skip
def test_a_body_of_another_form_is_a_400(sandbox, page, body):
    response = ask(page, "interact", body)

    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert queued(sandbox) == []


@pytest.mark.parametrize(
    "consent",
    [[], [{"standard": "IAB TCF"}], [{"standard": "Adobe", "version": "1.0", "value": {}}]],
)
def test_a_choice_that_nobody_understands_is_a_400(sandbox, page, consent):
    assert ask(page, "privacy/set-consent", {"consent": consent}).status_code == 400
    assert queued(sandbox) == []


def test_an_unknown_datastream_is_not_found(page):
    response = ask(page, "interact", {"events": []}, path="/ee/v1")
    missing = send(page, {"events": []}, path="/ee/v1/interact?configId=nothing")

    assert response.status_code == 200
    assert missing.status_code == 404


@pytest.mark.parametrize("value", ["", "x", "====", "CgA", "Ciaaaa"])
def test_a_broken_cookie_is_no_id(value):
    assert from_cookie(value) is None


def test_a_first_request_whose_answer_was_lost_brings_the_same_visitor(sandbox, page):
    request_id = "0d5cf7a0-8d0f-4b2e-9a53-1f2a3b4c5d6e"
    body = {"events": [{"xdm": XDM}]}

    answers = [ask(page, "interact", body, request_id=request_id) for _ in range(2)]

    ids = {handles(answer)["identity:result", ""]["id"] for answer in answers}
    assert len(ids) == 1
    assert is_ecid(*ids)
    accepted = prepared(sandbox).accepted
    assert {each.record["identityMap"]["ECID"][0]["id"] for each in accepted} == ids
    assert {each.event_id for each in accepted} == {f"{request_id}-0"}


def test_visitors_who_name_their_requests_alike_stay_apart(page):
    body = {"events": [{"xdm": XDM}]}

    answers = [ask(page, "interact", body, request_id="request-0001") for _ in range(2)]

    assert len({handles(answer)["identity:result", ""]["id"] for answer in answers}) == 2


@pytest.mark.parametrize("consent", [None, [], [{"standard": "Mine"}]])
def test_events_count_whatever_choice_comes_with_them(sandbox, page, consent):
    response = ask(page, "interact", {"events": [{"xdm": XDM}], "consent": consent})

    assert response.status_code == 200
    assert [each.event_id for each in prepared(sandbox).accepted] == ["req-0001-0"]
