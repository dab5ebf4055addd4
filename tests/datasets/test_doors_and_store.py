"""What a door accepts, the event store gives back as it was sent; everything else is refused.

The requests are made as text, since the worst of them no JSON library would write.
"""

import json
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cdp import queue
from cdp.datasets.models import RejectedRecord
from cdp.datasets.stored import Wanted, read_rows
from cdp.tenancy.scope import scope
from tests.datasets.making import ACTOR, make_dataset, make_inlet, make_key, make_schema, send
from tests.schemas.test_event_store_takes import same, without_empties

pytestmark = [pytest.mark.clickhouse, pytest.mark.django_db]

SUITE = settings(
    max_examples=min(settings().max_examples // 10, 300),  # each is a turn of the whole pipeline
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NUMBERS = [
    *("0", "-0", "-0.0", "1", "1.0", "1E5", "0.1", "-2.5e-7", "1e22", "1e300", "1e400", "-1e400"),
    *("9007199254740991", "9007199254740993", "9223372036854775807", "9223372036854775808"),
    *("18446744073709551615", "18446744073709551616", "-9223372036854775809", "1" + "0" * 40),
    *("01", "NaN", "Infinity", "1.", ".5", "+1"),
]
TEXTS = [
    *('"a"', '""', '" "', '"1"', '"true"', '"null"', '"2026-01-01"', '"2026-01-01T00:00:00Z"'),
    *('"\\ud800"', '"\\udc00x"', '"\\ud83d\\ude00"', '"\\u0000"', '"a\\u0000b"', '"\\u003a"'),
    *('"\u00e9\u4e2d\U0001f600"', '"\\\\"', '"\\n\\t\\""', '"' + "x" * 100_000 + '"'),
]
KEYS = [
    "a",
    "b",
    "A",
    "a.b",
    "",
    " ",
    "a b",
    "$a",
    "`a`",
    "1",
    "\\u0000",
    "\\ud800",
    "\\u0061",
    "é",
]
LEAVES = st.sampled_from([*NUMBERS, *TEXTS, "true", "false", "null"])


def _array(below):
    return st.lists(below, max_size=3).map(lambda texts: f"[{','.join(texts)}]")


def _object(below):
    pairs = st.lists(st.tuples(st.sampled_from(KEYS), below), max_size=3)
    return pairs.map(lambda given: "{" + ",".join(f'"{k}":{v}' for k, v in given) + "}")


TREES = st.recursive(LEAVES, lambda below: _array(below) | _object(below), max_leaves=6)
DEEP = st.integers(1, 120).map(lambda depth: '{"a":' * depth + "1" + "}" * depth)
VALUES = st.one_of(LEAVES, TREES, DEEP, _array(st.sampled_from(NUMBERS)))
FIELDS = {
    "number": {"type": "number"},
    "whole": {"type": "integer"},
    "text": {"type": "string"},
    "day": {"type": "string", "format": "date"},
    "moment": {"type": "string", "format": "date-time"},
    "flag": {"type": "boolean"},
    "list": {"type": "array", "items": {"type": "number"}},
    "free": {"type": "object"},
}
SLOTS = st.tuples(st.sampled_from(list(FIELDS)), VALUES)
DOORS = ["xdm", "batch", "edge", "segment"]


@pytest.fixture
def ways(sandbox):
    """By door: where to send to, and the dataset that it goes to."""
    found = {}
    # A tracker's properties are converted to the fields of their names; others stay as they are.
    tracked = {"properties": {"type": "object"}}
    for name in DOORS:
        own = tracked if name == "segment" else FIELDS
        schema = make_schema(sandbox, title=name, own=own, profile=False)
        dataset = make_dataset(sandbox, name=name, schema=schema)
        door = "xdm" if name == "batch" else name
        inlet = make_inlet(sandbox, dataset, door=door, name=name, requires_key=door == "segment")
        found[name] = inlet, dataset, make_key(inlet) if door == "segment" else ""
    return found


def send_by(way, door, key, slot, value):
    """Send one record with this value in this field, by one of the doors."""
    inlet, _, write_key = way
    tenant = f"_{inlet.sandbox.organization.tenant_namespace}"
    now = timezone.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record = (
        f'{{"_id":"{key}","timestamp":"{now}","eventType":"x",'
        f'"identityMap":{{"ECID":[{{"id":"1"}}]}},"{tenant}":{{"{slot}":{value}}}}}'
    )
    if door == "segment":
        message = (
            f'{{"type":"track","userId":"u","event":"x","messageId":"{key}",'
            f'"properties":{{"{slot}":{value}}}}}'
        )
        body, path = f'{{"batch":[{message}]}}', "/v1/batch"
    elif door == "edge":
        body, path = f'{{"events":[{{"xdm":{record}}}]}}', f"/ee/v1/interact?configId={inlet.pk}"
    elif door == "batch":
        body, path = f'{{"messages":[{record}]}}', f"/collection/batch/{inlet.pk}"
    else:
        body, path = record, ""
    return send(inlet, body.encode("utf-8", "surrogatepass"), path=path, key=write_key)


def value_in(record, tenant, door, slot):
    own = record.get(tenant, {})
    return (own.get("properties", {}) if door == "segment" else own).get(slot)


@SUITE
@given(door=st.sampled_from(DOORS), slots=st.lists(SLOTS, min_size=1, max_size=12))
@example("xdm", [("number", "18446744073709551616"), ("free", '{"a":1,"a":2}')])
@example("segment", [("number", "12345678901234567890123"), ("free", '{"a":1,"\\u0061":2}')])
@example("edge", [("whole", "9007199254740993"), ("free", '{"a.b":1}'), ("number", "1e400")])
@example("xdm", [("number", "9223372036854775808")])
@example("batch", [("text", '"\\ud800"'), ("text", '"\\u0000"'), ("whole", "1.0"), ("number", "7")])
def test_what_a_door_accepts_comes_back_and_the_rest_is_refused(sandbox, ways, door, slots):
    way = ways[door]
    tenant = f"_{sandbox.organization.tenant_namespace}"
    sent = {}
    for slot, value in slots:
        key = uuid4().hex
        answer = send_by(way, door, key, slot, value)
        if answer.status_code in (200, 207):
            sent[key] = slot, value
        else:
            assert answer.status_code == 400, answer.content
            assert answer.json()["code"]
            assert answer.json()["detail"]
    queue.drain()

    stored = {row.key: row.record for row in read_rows(way[1], Wanted(limit=100)).rows}
    with scope(sandbox, ACTOR):
        rejected = list(RejectedRecord.objects.for_sandbox(sandbox).values("raw", "errors"))
    reasons = {key: row["errors"] for key in sent for row in rejected if key in row["raw"]}
    for key, (slot, value) in sent.items():
        if key in stored:
            assert key not in reasons
            expected, found = json.loads(value), value_in(stored[key], tenant, door, slot)
            if without_empties({"": expected}) != {}:
                assert same(found, without_empties(expected)), (slot, value, found)
        else:
            assert reasons[key], (slot, value)
            assert all(error["code"] and error["detail"] for error in reasons[key])
