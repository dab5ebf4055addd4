"""What the ingest worker is given: records judged one by one, and a fate for each."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from orjson import dumps

from cdp.datasets import fates
from cdp.datasets.fates import get_receipt
from cdp.datasets.ingestion import mark_rejected, outcomes, prepare
from cdp.datasets.models import Receipt, RejectedRecord
from cdp.datasets.records import Rejection
from cdp.datasets.seeing import RefusedRecords
from cdp.datasets.services.datasets import change_dataset
from cdp.datasets.services.settling import reject, write_receipts
from cdp.datasets.services.writing import write_records
from cdp.queue.models import QueueItem
from cdp.tenancy.models import UsageCounter
from cdp.tenancy.scope import scope
from tests.datasets.making import (
    ACTOR,
    event,
    make_dataset,
    make_inlet,
    make_schema,
    message,
    send,
)

ALL = RefusedRecords()


@dataclass
class Row:
    payload: dict[str, Any]
    body: bytes


def rows_of(sandbox):
    with scope(sandbox, ACTOR):
        return [
            Row(item.payload, bytes(item.body))
            for item in QueueItem.objects.for_sandbox(sandbox).order_by("id")
        ]


def prepared(sandbox, now=None):
    with scope(sandbox, ACTOR):
        return prepare(sandbox, rows_of(sandbox), now=now or timezone.now())


@pytest.mark.acceptance("A-33")
def test_each_record_is_judged_by_itself(sandbox):
    dataset = make_dataset(sandbox)
    inlet = make_inlet(sandbox, dataset)
    wrong = event(2, eventType=7, web={"webPageDetails": {"nmae": "x"}})
    receipt = send(inlet, [event(1), wrong, event(3)]).json()["xactionId"]

    result = prepared(sandbox)

    assert [(each.event_id, each.position) for each in result.accepted] == [
        ("event-1", 0),
        ("event-3", 2),
    ]
    (aside,) = result.rejected
    assert (aside.receipt_id, aside.position, aside.dataset_id) == (receipt, 1, dataset.pk)
    assert aside.record == wrong
    assert {error["path"]: error["code"] for error in aside.errors} == {
        "eventType": "wrong_type",
        "web.webPageDetails.nmae": "unknown_field",
    }


def test_what_has_no_id_gets_the_same_one_each_time_it_is_read(sandbox):
    inlet = make_inlet(sandbox, make_dataset(sandbox))
    anonymous = event(1)
    del anonymous["_id"]
    receipt = send(inlet, [anonymous, event(2)]).json()["xactionId"]

    first, second = prepared(sandbox), prepared(sandbox)

    assert [each.event_id for each in first.accepted] == [f"{receipt}-0", "event-2"]
    assert [each.event_id for each in second.accepted] == [f"{receipt}-0", "event-2"]
    assert first.ids_assigned == {receipt: 1}


@pytest.mark.parametrize(
    ("offset", "fits"),
    [
        (timedelta(hours=23), True),
        (timedelta(days=1, minutes=1), False),
        (timedelta(days=-3_651), True),
        (timedelta(days=-3_653), False),
    ],
)
def test_event_times_must_be_believable(sandbox, offset, fits):
    inlet = make_inlet(sandbox, make_dataset(sandbox))
    now = timezone.now()
    send(inlet, event(1, timestamp=(now + offset).isoformat()))

    result = prepared(sandbox, now=now)

    assert len(result.accepted) == int(fits)
    codes = [error["code"] for each in result.rejected for error in each.errors]
    assert codes == ([] if fits else ["time_out_of_range"])


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_beyond_every_calendar_is_put_aside_alone(sandbox, time):
    inlet = make_inlet(sandbox, make_dataset(sandbox))
    send(inlet, [event(1, timestamp=time), event(2)])

    result = prepared(sandbox)

    assert [each.event_id for each in result.accepted] == ["event-2"]
    codes = [error["code"] for each in result.rejected for error in each.errors]
    assert codes == ["time_out_of_range"]


def test_times_are_cut_to_milliseconds_and_numbers_written_as_the_schema_has_them(sandbox):
    inlet = make_inlet(sandbox, make_dataset(sandbox))
    sent = event(1, commerce={"order": {"priceTotal": 250}, "purchases": {"value": 1}})
    moment = timezone.now().replace(microsecond=123_456)
    send(inlet, {**sent, "timestamp": moment.isoformat()})

    (accepted,) = prepared(sandbox).accepted

    assert accepted.timestamp == moment.replace(microsecond=123_000)
    assert repr(accepted.record["commerce"]["order"]["priceTotal"]) == "250.0"


@pytest.mark.acceptance("A-32")
def test_what_came_before_enabling_never_reaches_profile(sandbox):
    dataset = make_dataset(sandbox, profile_enabled=False)
    inlet = make_inlet(sandbox, dataset)
    send(inlet, event(1))
    with scope(sandbox, ACTOR):
        change_dataset(actor=ACTOR, dataset=dataset, profile_enabled=True)
    send(inlet, event(2))

    result = prepared(sandbox)

    assert {each.event_id: each.profile for each in result.accepted} == {
        "event-1": False,
        "event-2": True,
    }


def test_partial_records_may_leave_required_fields_out_and_events_are_only_added(sandbox):
    own = {"tier": {"type": "string"}, "points": {"type": "integer"}}
    schema = make_schema(sandbox, title="People", events=False, own=own)
    people = make_dataset(sandbox, name="People", schema=schema)
    events = make_dataset(sandbox)
    inlet = make_inlet(sandbox, people, events)
    change = {f"_{sandbox.organization.tenant_namespace}": {"tier": "gold"}}
    operation = {"operations": {"data": "merge"}}
    sent = [message(change, people, **operation), message(event(1), events, **operation)]
    send(inlet, sent)

    result = prepared(sandbox)

    (accepted,) = result.accepted
    assert (accepted.operation, accepted.event_id) == ("merge", "")
    assert [error["code"] for each in result.rejected for error in each.errors] == [
        "events_only_added"
    ]


def test_rows_of_an_upsert_dataset_merge(sandbox):
    schema = make_schema(sandbox, title="People", events=False)
    people = make_dataset(sandbox, name="People", schema=schema, upsert=True)
    with scope(sandbox, ACTOR):
        write_records(sandbox=sandbox, dataset=people, records=[{"identityMap": {}}])

    assert [each.operation for each in prepared(sandbox).accepted] == ["merge"]


def test_a_deleted_inlet_puts_its_rows_aside(sandbox):
    inlet = make_inlet(sandbox, make_dataset(sandbox))
    send(inlet, event(1))
    with scope(sandbox, ACTOR):
        inlet.delete()

    result = prepared(sandbox)

    assert result.accepted == []
    assert [error["code"] for each in result.rejected for error in each.errors] == ["inlet_gone"]


def test_every_record_has_a_fate_one_can_ask_for(sandbox):
    dataset = make_dataset(sandbox)
    inlet = make_inlet(sandbox, dataset)
    receipt = send(inlet, [event(1), event(2), {"eventType": 1}]).json()["xactionId"]
    with scope(sandbox, ACTOR):
        assert get_receipt(sandbox, receipt, ALL).state == "pending"
        result = prepare(sandbox, rows_of(sandbox), now=timezone.now())

        for _ in range(2):  # a crash may make the worker do it again
            reject(sandbox, result.rejected)
            write_receipts(sandbox, outcomes(result, duplicates=result.accepted[1:]))
        state = get_receipt(sandbox, receipt, ALL)
        one = get_receipt(sandbox, f"{receipt}-1", ALL)
        counters = UsageCounter.objects.for_sandbox(sandbox).values_list("name", "amount")
        used = dict(counters)

    assert (state.state, state.stored, state.duplicates, state.rejected) == ("done", 1, 1, 1)
    assert [fate["fate"] for fate in state.fates] == ["stored", "duplicate", "rejected"]
    assert state.fates[2]["errors"]
    assert [fate["fate"] for fate in one.fates] == ["duplicate"]
    assert used == {"records.stored": 1, "records.duplicate": 1, "records.rejected": 1}
    with scope(sandbox, ACTOR):
        assert Receipt.objects.for_sandbox(sandbox).count() == 1
        assert RejectedRecord.objects.for_sandbox(sandbox).count() == 1


def test_what_the_store_refuses_later_is_rejected_after_all(sandbox):
    inlet = make_inlet(sandbox, make_dataset(sandbox))
    receipt = send(inlet, [event(1), event(2)]).json()["xactionId"]
    result = prepared(sandbox)
    told = outcomes(result)

    late = Rejection.of(result.accepted[1], [{"path": "", "code": "unstorable", "detail": "No."}])
    mark_rejected(told, [late])

    assert [(each["receipt"], each["fates"]) for each in told] == [(receipt, "sr")]


def test_what_is_put_aside_may_hold_anything(sandbox):
    inlet = make_inlet(sandbox, make_dataset(sandbox))
    send(inlet, dumps({"a.b": {"": 1}, "x": "\N{GRINNING FACE}"}))
    result = prepared(sandbox)
    with scope(sandbox, ACTOR):
        reject(sandbox, result.rejected)
        (row,) = RejectedRecord.objects.for_sandbox(sandbox)

    assert row.raw == '{"a.b":{"":1},"x":"\N{GRINNING FACE}"}'


def test_a_request_that_is_settled_while_one_asks_is_found(sandbox, monkeypatch):
    receipt = send(make_inlet(sandbox, make_dataset(sandbox)), event(1)).json()["xactionId"]

    def settled_meanwhile(sandbox, receipt_id):
        result = prepare(sandbox, rows_of(sandbox), now=timezone.now())
        write_receipts(sandbox, outcomes(result))

    monkeypatch.setattr(fates, "_find_waiting", settled_meanwhile)

    with scope(sandbox, ACTOR):
        assert get_receipt(sandbox, receipt, ALL).state == "done"
