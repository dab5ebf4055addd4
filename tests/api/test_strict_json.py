"""What may come in as JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        pytest.param(b'"\\ud83d\\ude00"', "\U0001f600", id="a pair of surrogates"),
    ],
)
def test_what_only_looks_hostile_is_read(body, value):
    read = read_json(body)

    assert value is None or read == value


def test_doors_may_leave_the_check_for_twins_out():
    assert read_json(b'{"a": 1, "a": 2}', unique_keys=False) == {"a": 2}


@given(VALUES)
def test_what_orjson_writes_is_read_back(value):
    import orjson

    assert read_json(orjson.dumps(value)) == value
