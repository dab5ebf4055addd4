"""What a schema lets in, the event store takes and gives back as it was."""

from typing import Any
from uuid import uuid4

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cdp.clickhouse import client
from cdp.schemas.registry.catalogue import EVENT_CLASS
from cdp.schemas.registry.resolve import resolve
from cdp.schemas.registry.sampling import sample_record
from cdp.schemas.registry.validation import compile_schema
from tests.schemas.making import ANALYTICS, CONSUMER, CONTACT, END_USER_IDS, WEB_SDK
from tests.schemas.registry import test_second_opinion as made_up
from tests.schemas.registry.standard import compiled, resolved

pytestmark = [pytest.mark.clickhouse, pytest.mark.django_db]

SUITE = settings(
    max_examples=min(settings().max_examples // 4, 200),  # each is a round trip to the store
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FREE = compile_schema(resolve(resolved(free={"type": "object"}), {}.get))
KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=4)
LEAVES = st.one_of(
    st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("2026-01-01")
)
TREES = st.recursive(
    LEAVES,
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(KEYS, below, max_size=3)),
    max_leaves=8,
)


def stored(sandbox: Any, records: list[Any]) -> list[Any]:
    """Write records and read them again, in one insert."""
    batch = uuid4().hex
    rows = [
        {
            "dataset_id": "ds_made_up",
            "batch_id": batch,
            "key": f"{number:06}",
            "ts": "2026-01-01 00:00:00.000",
            "ingested_at": "2026-01-01 00:00:00.000",
            "body": record,
        }
        for number, record in enumerate(records)
    ]
    client.insert("records", rows, sandbox=sandbox, token=batch)
    found = client.fetch_text(
        "SELECT toString(body) FROM records WHERE sandbox_id = {sandbox:UInt32}"
        " AND batch_id = {batch:String} ORDER BY key",
        sandbox=sandbox,
        params={"batch": batch},
        budget=client.LOOKUP,
    )
    return [orjson.loads(text) for (text,) in found]


def without_empties(value: Any) -> Any:
    """Leave out objects without fields, which say nothing and leave no trace in columns."""
    if isinstance(value, dict):
        kept = {key: without_empties(below) for key, below in value.items()}
        return {key: below for key, below in kept.items() if below != {}}
    return [without_empties(below) for below in value] if isinstance(value, list) else value


def same(found: Any, sent: Any) -> bool:
    """Compare what came back; a large float is written without its exponent."""
    if isinstance(sent, dict) and isinstance(found, dict):
        return sent.keys() == found.keys() and all(same(found[key], sent[key]) for key in sent)
    if isinstance(sent, list) and isinstance(found, list):
        return len(sent) == len(found) and all(map(same, found, sent))
    return bool(float(found) == sent if isinstance(sent, float) else found == sent)


@SUITE
@given(document=made_up.SCHEMAS, noise=made_up.RECORDS)
def test_what_made_up_schemas_let_in_comes_back(sandbox, document, noise):
    schema = compile_schema(resolve(document, {}.get))
    start = {} if made_up._contradicts(document) else sample_record(schema)
    accepted = [
        schema.normalise(record)
        for record in made_up.variations(start, noise)
        if not schema.validate(record)
    ]
    if accepted:
        assert same(stored(sandbox, accepted), [without_empties(record) for record in accepted])


@SUITE
@given(records=st.lists(st.dictionaries(KEYS, TREES, max_size=4), max_size=8))
@example([{"a": [[True], [False, True]]}, {"a": [[1], ["x"]]}, {"a": [{"b": True}, {"b": "x"}]}])
@example([{"a": 2**60}, {"a": [0.5, 2**60]}, {"a": [[0.0], [2**60]]}, {"a": [0.5, 2**53 + 2]}])
def test_what_a_free_object_lets_in_comes_back(sandbox, records):
    accepted = [{"free": free} for free in records if not FREE.validate({"free": free})]
    if accepted:
        assert same(stored(sandbox, accepted), [without_empties(record) for record in accepted])


@pytest.mark.parametrize(
    "groups", [(WEB_SDK, CONSUMER, END_USER_IDS), (CONSUMER, CONTACT), (ANALYTICS,)]
)
def test_an_event_with_every_field_comes_back(sandbox, groups):
    schema = compiled(EVENT_CLASS, *groups)
    record = schema.normalise(sample_record(schema))

    assert stored(sandbox, [record]) == [without_empties(record)]


@pytest.mark.parametrize(
    "value",
    [
        {"a.b": 1, "a": {"b": 2}},
        {"a": "\ud800"},
        {"a": float("inf")},
        {"a": 10**400},
        {"a": 2**64},
        {"a": "x\x00"},
        {"": 1},
        {"a": None},
        {"a": [True, "x"]},
        {"a": [[True], ["x"]]},
        {"a": [[[1]], [[True]]]},
    ],
)
def test_what_would_spoil_a_whole_insert_is_refused(value):
    assert FREE.validate({"free": value})
