"""What may come in as JSON."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orjson import dumps

from cdp.api.strict_json import MAX_DEPTH, read_json
from cdp.errors import Malformed

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"", "malformed_json", id="nothing"),
        pytest.param(b'{"a": ', "malformed_json", id="cut off"),
        pytest.param(b"[NaN]", "malformed_json", id="not a number"),
        pytest.param(b"[Infinity]", "malformed_json", id="infinity"),
        pytest.param(b"[1e400]", "malformed_json", id="infinity by exponent"),
        pytest.param(b'["\\ud800"]', "malformed_json", id="lone surrogate"),
        pytest.param(b'["\xff"]', "malformed_json", id="not UTF-8"),
        pytest.param('["ä"]'.encode("utf-16"), "malformed_json", id="UTF-16"),
        pytest.param(b'["a\x00b"]', "malformed_json", id="raw NUL"),
        pytest.param(b'["\\u0000"]', "json_nul_character", id="escaped NUL"),
        pytest.param(b'{"a\\u0000b": 1}', "json_nul_character", id="NUL in a key"),
        pytest.param(b'{"a": 1, "a": 2}', "json_duplicate_key", id="a key twice"),
        pytest.param(b'{"b": [{"a": 1, "\\u0061": 2}]}', "json_duplicate_key", id="twice, escaped"),
        pytest.param(b"[" * 65 + b"]" * 65, "json_too_deep", id="one too deep"),
        pytest.param(b'{"a":' * 1_000 + b"1" + b"}" * 1_000, "json_too_deep", id="very deep"),
        pytest.param(b"[" * 100_000, "malformed_json", id="deep without end"),
    ],
)
def test_what_no_store_could_hold_is_refused(body, code):
    with pytest.raises(Malformed) as refusal:
        read_json(body)

    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param(b'["\\\\u0000"]', ["\\u0000"], id="a backslash before u0000 is no NUL"),
        pytest.param(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None, id="as deep as allowed"),
        pytest.param(b"[" + b"[],{}," * 100 + b"0]", None, id="wide is not deep"),
        pytest.param(b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}], id="a key in two objects"),
        pytest.param(b'{"a": "1: 12345678901234567890123"}', None, id="digits in a text"),
        pytest.param(b"[12345678901234567890123.5]", [1.2345678901234568e22], id="a fraction"),
        pytest.param(b'"\\ud83d\\ude00"', "\U0001f600", id="a pair of surrogates"),
    ],
)
def test_what_only_looks_hostile_is_read(body, value):
    read = read_json(body)

    assert value is None or read == value


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**22, 10**30, 10**300])
@pytest.mark.parametrize("place", ["%s", "[%s]", '{"a":%s}', '{"a": 1,\n\t"b":\n%s}'])
def test_a_whole_number_that_would_be_rounded_is_refused(number, place):
    digits = format(Decimal(number), "f")

    with pytest.raises(Malformed) as refusal:
        read_json((place % digits).encode())

    assert refusal.value.code == "json_number_too_big"
    assert digits[:20] in refusal.value.detail


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63), 10**18, -0.0, 1e22])
def test_a_number_that_fits_is_read_exactly(number):
    assert read_json(dumps([number])) == [number]


@pytest.mark.parametrize(
    "body",
    [
        b'{"a:": 1, "a:": 2}',
        b'{"a": ":", "b": 1, "b": 2}',
        b'{"a": "\\u003a", "b": 1, "b": 2}',
        b'{"a": "\\u003A", "b": {"c": 1}, "b": {"c": 1}}',
    ],
)
def test_a_key_that_would_be_dropped_is_refused_whatever_stands_around_it(body):
    with pytest.raises(Malformed) as refusal:
        read_json(body)

    assert refusal.value.code == "json_duplicate_key"


@given(VALUES)
def test_what_orjson_writes_is_read_back(value):
    assert read_json(dumps(value)) == value
