"""The XDM door: what it takes, what it refuses, and that nothing is lost in between."""

import gzip

import pytest
from django.utils import timezone
from orjson import dumps, loads

from cdp.datasets.doors import inlets
from cdp.datasets.ingestion import prepare
from cdp.datasets.topics import RECORDS_RECEIVED
from cdp.queue.models import QueueItem
from cdp.tenancy.models import Sandbox, WriteKey
from cdp.tenancy.scope import scope
from cdp.tenancy.services.access import revoke_write_key
from tests.datasets.making import (
    ACTOR,
    event,
    make_dataset,
    make_inlet,
    make_key,
    message,
    send,
)


def queued(sandbox: Sandbox) -> list[QueueItem]:
    with scope(sandbox, ACTOR):
        return list(QueueItem.objects.for_sandbox(sandbox).filter(topic=RECORDS_RECEIVED))


@pytest.mark.acceptance("A-07")
def test_a_message_is_in_the_queue_when_it_is_answered(sandbox):
    dataset = make_dataset(sandbox)
    inlet = make_inlet(sandbox, dataset)
    sent = message(event(1), dataset)

    response = send(inlet, sent)

    assert response.status_code == 200
    answer = response.json()
    assert answer["inletId"] == inlet.pk
    (item,) = queued(sandbox)
    assert item.key == answer["xactionId"]
    assert item.count == 1
    assert loads(bytes(item.body)) == sent
    assert item.payload["form"] == "xdm"


@pytest.mark.acceptance("A-09")
def test_a_till_streams_its_transactions_by_an_api_connection(sandbox):
    tills = make_dataset(sandbox, name="Tills")
    inlet = make_inlet(sandbox, tills, name="Till", requires_key=True)
    sale = event(
        1,
        eventType="commerce.purchases",
        commerce={
            "order": {"purchaseID": "B-1", "priceTotal": 29.9, "currencyCode": "EUR"},
            "purchases": {"value": 1},
        },
        productListItems=[{"SKU": "mat", "quantity": 1, "priceTotal": 29.9}],
    )

    refused = send(inlet, message(sale, tills))
    taken = send(inlet, message(sale, tills), key=make_key(inlet))

    assert (refused.status_code, taken.status_code) == (401, 200)
    (item,) = queued(sandbox)
    with scope(sandbox, ACTOR):
        (accepted,) = prepare(sandbox, [item], now=timezone.now()).accepted
    assert (accepted.record, accepted.dataset.id) == (sale, tills.pk)


def test_plain_records_are_taken_alone_and_as_a_list(sandbox):
    inlet = make_inlet(sandbox, make_dataset(sandbox))

    responses = [send(inlet, event(1)), send(inlet, [event(2), event(3)])]

    assert [response.status_code for response in responses] == [200, 200]
    assert [item.count for item in queued(sandbox)] == [1, 2]


def test_a_batch_is_answered_message_by_message(sandbox):
    dataset = make_dataset(sandbox)
    inlet = make_inlet(sandbox, dataset)
    good, lost = message(event(1), dataset), message(event(2), dataset, datasetId="ds_unknown")

    response = send(inlet, {"messages": [good, lost]}, path=f"/collection/batch/{inlet.pk}")

    assert response.status_code == 207
    answer = response.json()
    assert answer["responses"][0] == {"xactionId": f"{answer['batchId']}-0"}
    assert answer["responses"][1]["status"] == 400
    assert "ds_unknown" in answer["responses"][1]["message"]
    assert [item.count for item in queued(sandbox)] == [2]


def test_a_batch_of_nothing_usable_leaves_nothing_behind(sandbox):
    inlet = make_inlet(sandbox, make_dataset(sandbox))

    response = send(inlet, {"messages": ["text"]}, path=f"/collection/batch/{inlet.pk}")

    assert response.status_code == 207
    assert response.json()["responses"][0]["status"] == 400
    assert queued(sandbox) == []


@pytest.mark.parametrize("path", ["/collection/{}/", "/collection//{}", "/collection//{}//"])
def test_slashes_do_not_matter(sandbox, path):
    inlet = make_inlet(sandbox, make_dataset(sandbox))

    assert send(inlet, event(1), path=path.format(inlet.pk)).status_code == 200


def test_gzip_is_unpacked_whatever_its_label(sandbox):
    inlet = make_inlet(sandbox, make_dataset(sandbox))
    packed = gzip.compress(dumps([event(1), event(2)]))

    labelled = send(inlet, packed, HTTP_CONTENT_ENCODING="gzip")
    unlabelled = send(inlet, packed)

    assert (labelled.status_code, unlabelled.status_code) == (200, 200)
    assert [item.count for item in queued(sandbox)] == [2, 2]


REFUSALS = {
    "malformed": (b'{"a": ', {}, 400, "malformed_json"),
    "empty": (b"", {}, 400, "malformed_json"),
    "not utf-8": (b'{"a": "\xff"}', {}, 400, "malformed_json"),
    "half a surrogate": (b'{"a": "\\ud800"}', {}, 400, "malformed_json"),
    "too big a number": (b'{"a": 1e400}', {}, 400, "malformed_json"),
    "nul": (b'{"_id": "a\\u0000b"}', {}, 400, "json_nul_character"),
    "deep": (b'{"a":' * 80 + b"1" + b"}" * 80, {}, 400, "json_too_deep"),
    "not an object": (b'"text"', {}, 400, "message_invalid"),
    "no records": (b"[]", {}, 400, "malformed"),
    "form": (b"a=1", {"content_type": "application/x-www-form-urlencoded"}, 415,
             "unsupported_media_type"),
    "large": (b'{"a": "' + b"x" * 5_000_000 + b'"}', {}, 413, "too_large"),
    "cut gzip": (gzip.compress(b'{"a": 1}')[:-9], {}, 400, "malformed"),
    "broken gzip": (b"\x1f\x8b" + b"nonsense", {}, 400, "malformed"),
    "gzip bomb": (gzip.compress(b'"' + b"0" * 60_000_000 + b'"'), {}, 413, "too_large"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"), list(REFUSALS.values()), ids=list(REFUSALS)
)
def test_what_cannot_be_taken_is_refused_and_leaves_nothing(sandbox, body, headers, status, code):
    inlet = make_inlet(sandbox, make_dataset(sandbox))

    response = send(inlet, body, **headers)

    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert queued(sandbox) == []


def test_other_methods_are_refused(client, sandbox):
    inlet = make_inlet(sandbox, make_dataset(sandbox))

    assert client.get(f"/collection/{inlet.pk}").status_code == 405


@pytest.mark.parametrize("inlet_id", ["inl_nothing", "inl_" + "0" * 26 + "1", "x"])
def test_an_unknown_inlet_is_not_found(sandbox, inlet_id):
    inlet = make_inlet(sandbox, make_dataset(sandbox))

    response = send(inlet, event(1), path=f"/collection/{inlet_id}")

    assert (response.status_code, response.json()["code"]) == (404, "inlet_not_found")


def test_an_inlet_with_a_key_wants_its_own(sandbox, monkeypatch):
    monkeypatch.setattr(inlets, "KEPT_SECONDS", 0)
    dataset = make_dataset(sandbox)
    guarded = make_inlet(sandbox, dataset, requires_key=True)
    other = make_inlet(sandbox, dataset, requires_key=True, name="Other")
    key = make_key(guarded)

    assert send(guarded, event(1), key=key).status_code == 200
    for wrong in ("", "nonsense", make_key(other)):
        response = send(guarded, event(2), key=wrong)
        assert (response.status_code, response.json()["code"]) == (401, "write_key_refused")
    assert len(queued(sandbox)) == 1

    with scope(sandbox, ACTOR):
        revoke_write_key(actor=ACTOR, write_key=WriteKey.objects.get(inlet_id=guarded.pk))
    assert send(guarded, event(3), key=key).status_code == 401
    assert len(queued(sandbox)) == 1


def test_a_full_backlog_is_told_with_a_time_to_come_back(sandbox, settings):
    settings.QUEUE_BACKLOG_LIMIT = 2
    inlet = make_inlet(sandbox, make_dataset(sandbox))
    from cdp.datasets.doors import arrivals

    send(inlet, [event(1), event(2)])
    arrivals._backlogs.clear()

    response = send(inlet, event(3))

    assert (response.status_code, response.json()["code"]) == (429, "backlog_full")
    assert int(response.headers["Retry-After"]) > 0
    assert len(queued(sandbox)) == 1


def test_whoever_asks_is_told_the_errors_at_once(sandbox):
    inlet = make_inlet(sandbox, make_dataset(sandbox))
    wrong = event(1, timestamp="yesterday", eventType=5)

    response = send(inlet, wrong, path=f"/collection/{inlet.pk}?syncValidation=true")

    assert (response.status_code, response.json()["code"]) == (400, "records_invalid")
    assert {error["path"] for error in response.json()["report"]["errors"]} == {
        "timestamp",
        "eventType",
    }
    assert queued(sandbox) == []
    good = send(inlet, event(2), path=f"/collection/{inlet.pk}?syncValidation=true")
    assert good.status_code == 200
    assert len(queued(sandbox)) == 1


def test_header_and_body_must_name_the_same_schema(sandbox):
    dataset = make_dataset(sandbox)
    inlet = make_inlet(sandbox, dataset)
    torn = message(event(1), dataset)
    torn["body"]["xdmMeta"]["schemaRef"] = {"id": "https://ns.adobe.com/other"}

    response = send(inlet, torn)

    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "schema_differs"
