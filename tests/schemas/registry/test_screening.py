"""What no store can hold is refused, whatever the schema says."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.schemas.registry.screening import Limits, RecordError, screen

LIMITS = Limits(max_bytes=10_000, max_depth=50, max_fields=200)


def codes(record: object, limits: Limits = LIMITS) -> list[tuple[str, str]]:
    return [(error.path, error.code) for error in screen(record, limits)]


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"a": None}, [("a", "null_value")]),
        ({"a": [1, None]}, [("a[1]", "null_value")]),
        (None, [("", "null_value")]),
        ({"a": float("nan")}, [("a", "number_not_finite")]),
        ({"a": {"b": float("-inf")}}, [("a.b", "number_not_finite")]),
        ({"a": 2**64}, [("a", "number_too_big")]),
        ({"a": -(2**63) - 1}, [("a", "number_too_big")]),
        ({"a": 2**53 + 1}, [("a", "number_not_exact")]),
        ({"a": 2**60}, [("a", "number_not_exact")]),  # as a double: 1152921504606847000
        ({"a": 1152921504606847000}, [("a", "number_not_exact")]),
        ({"a": "\ud800"}, [("a", "lone_surrogate")]),
        ({"\udfff": 1}, [("\\udfff", "lone_surrogate")]),
        ({"a": "x\x00y"}, [("a", "nul_character")]),
        ({"b\x00": 1}, [("b\\u0000", "nul_character")]),
        ({"a": datetime(2026, 1, 1, tzinfo=UTC)}, [("a", "not_json")]),
        ({1: "a"}, [("", "not_json")]),
        ({"a": b"x"}, [("a", "not_json")]),
        (nested(51), [(".".join("a" * 50), "too_deep")]),
        ({"a": list(range(200))}, [("", "too_many_fields")]),
        ({"a": "x" * 10_000}, [("", "record_too_large")]),
    ],
)
def test_impossible_records_are_named(record, expected):
    assert codes(record) == expected


@pytest.mark.parametrize(
    "record",
    [
        {"a": "null"},
        {"a": "\\u0000"},
        {"null": "\\x00"},
        {"a": 2**53},
        {"a": 2**53 + 2},
        {"a": -(10**18)},
        {"a": 1e300, "b": -0.0, "c": True},
        nested(49),
        {"a": "x" * 9_900},
        {},
        [],
        "text",
    ],
)
def test_possible_records_pass(record):
    assert codes(record) == []


def test_a_record_of_hostile_depth_does_not_exhaust_the_stack():
    assert [code for _, code in codes(nested(20_000))] == ["too_deep"]


PLAIN = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(),
        st.floats(),
        st.none(),
        st.text(st.characters(), max_size=8),
        st.text(st.sampled_from("a\x00\ud800\\u0n"), max_size=6),
    ),
    lambda below: st.one_of(
        st.lists(below, max_size=4), st.dictionaries(st.text(max_size=5), below, max_size=4)
    ),
    max_leaves=20,
)


@given(PLAIN)
def test_what_passes_comes_back_from_json_exactly(record):
    if screen(record, LIMITS):
        return
    text = orjson.dumps(record)

    assert orjson.loads(text) == record
    assert b"\\u0000" not in text.replace(b"\\\\", b"")
    assert "null" not in str(orjson.loads(text.replace(b"null", b"0"))) or b"null" in text


@given(PLAIN)
def test_every_refusal_can_be_stored_and_shown(record):
    for error in screen(record, LIMITS):
        assert isinstance(error, RecordError)
        assert "\x00" not in orjson.dumps(error.path).decode()
