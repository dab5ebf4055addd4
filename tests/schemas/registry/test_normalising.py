"""Numbers come out as the schema's type."""

from hypothesis import given
from hypothesis import strategies as st

from cdp.schemas.registry.resolve import resolve
from cdp.schemas.registry.validation import compile_schema
from tests.schemas.registry.standard import resolved

DOCUMENT = resolved(
    price={"type": "number"},
    count={"type": "integer"},
    name={"type": "string"},
    flag={"type": "boolean"},
    items={"type": "array", "items": resolved(price={"type": "number"}, sku={"type": "string"})},
    scores={"type": "array", "items": {"type": "number"}},
    totals={"type": "object", "additionalProperties": {"type": "number"}},
    free={"type": "object"},
)
SCHEMA = compile_schema(resolve(DOCUMENT, {}.get))


def exact(value):
    return [type(value), value]


def test_every_number_is_written_as_its_field_says():
    record = {
        "price": 1,
        "count": 2.0,
        "name": "a",
        "flag": True,
        "items": [{"price": 3, "sku": "x"}, {"price": 4.5}],
        "scores": [1, 2.5],
        "totals": {"a": 1},
        "free": {"n": 1, "m": 1.0},
    }
    before = repr(record)

    written = SCHEMA.normalise(record)

    assert repr(written) == repr(
        {
            "price": 1.0,
            "count": 2,
            "name": "a",
            "flag": True,
            "items": [{"price": 3.0, "sku": "x"}, {"price": 4.5}],
            "scores": [1.0, 2.5],
            "totals": {"a": 1.0},
            "free": {"n": 1, "m": 1.0},
        }
    )
    assert repr(record) == before


def test_a_record_in_which_nothing_differs_is_returned_as_it_is():
    record = {"price": 1.5, "items": [{"price": 2.0}], "scores": [], "name": "a"}

    assert SCHEMA.normalise(record) is record


def test_a_schema_without_numbers_leaves_records_alone():
    schema = compile_schema(resolve(resolved(name={"type": "string"}), {}.get))
    record = {"name": "a"}

    assert schema.normalise(record) is record


NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))


@given(st.fixed_dictionaries({}, optional={"price": NUMBERS, "scores": st.lists(NUMBERS)}))
def test_normalising_changes_types_and_never_values(record):
    written = SCHEMA.normalise(record)

    assert written == record
    assert all(type(number) is float for number in written.get("scores", ()))
    assert SCHEMA.validate(written) == SCHEMA.validate(record) == []
