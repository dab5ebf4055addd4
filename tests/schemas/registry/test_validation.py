"""Every reason why a record may not come in, with its place."""

import pytest

from cdp.schemas.registry.fields import labelled
from cdp.schemas.registry.problems import Refused
from cdp.schemas.registry.resolve import resolve
from cdp.schemas.registry.screening import Limits
from cdp.schemas.registry.validation import CompiledSchema, compile_schema, validator_of
from tests.schemas.registry.standard import EVENT, digital_transactions, resolved

TEXT = {"type": "string"}


def compiled(**properties: object) -> CompiledSchema:
    return compile_schema(resolve(resolved(**properties), {}.get))


def errors(schema: CompiledSchema, record: object) -> list[tuple[str, str]]:
    return [(error.path, error.code) for error in schema.validate(record)]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        (TEXT, 1, "wrong_type"),
        (TEXT, None, "null_value"),
        ({"type": "number"}, "1", "wrong_type"),
        ({"type": "number"}, True, "wrong_type"),
        ({"type": "integer"}, 1.5, "wrong_type"),
        ({"type": "integer"}, 2**53, "out_of_range"),
        ({"type": "integer", "meta:xdmType": "byte"}, 128, "out_of_range"),
        ({"type": "boolean"}, "true", "wrong_type"),
        ({"type": "string", "enum": ["a", "b"]}, "c", "not_allowed"),
        ({"type": "string", "format": "email"}, "ada", "bad_format"),
        ({"type": "string", "format": "date-time"}, "2026-01-01", "bad_format"),
        ({"type": "string", "pattern": "^[A-Z]{2}$"}, "abc", "pattern"),
        ({"type": "string", "minLength": 2}, "a", "bad_length"),
        ({"type": "string", "maxLength": 2}, "abc", "bad_length"),
        ({"type": "number", "minimum": 0}, -1, "out_of_range"),
        ({"type": "number", "exclusiveMaximum": 5}, 5, "out_of_range"),
        ({"type": "number", "multipleOf": 0.5}, 0.7, "out_of_range"),
        ({"type": "array", "items": TEXT}, "a", "wrong_type"),
        ({"type": "array", "items": TEXT, "maxItems": 1}, ["a", "b"], "bad_length"),
        ({"type": "array", "items": TEXT, "uniqueItems": True}, ["a", "a"], "not_unique"),
        ({"type": "object", "additionalProperties": TEXT}, {"a.b": "c"}, "dotted_name"),
        ({"type": "object", "additionalProperties": TEXT}, {"": "c"}, "bad_name"),
        ({"type": "object", "additionalProperties": TEXT}, {"a": 1}, "wrong_type"),
        ({"type": "object"}, {"deep": {"x.y": 1}}, "dotted_name"),
        ({"type": "object"}, {"deep": [{"x": None}]}, "null_value"),
    ],
)
def test_each_kind_of_fault_has_its_code(field, value, code):
    schema = compiled(f=field)

    (error,) = schema.validate({"f": value})

    assert error.code == code
    assert error.path.startswith("f")
    assert error.detail


def test_all_faults_of_a_record_are_told_in_the_order_of_their_paths():
    schema = compiled(
        name=TEXT,
        age={"type": "integer"},
        items={"type": "array", "items": {**resolved(sku=TEXT), "required": ["sku"]}},
    )

    record = {"name": 1, "age": None, "items": [{"sku": "a"}, {}, {"sku": 2, "prize": 1}], "x": 1}

    assert errors(schema, record) == [
        ("age", "null_value"),
        ("items[1].sku", "required"),
        ("items[2].prize", "unknown_field"),
        ("items[2].sku", "wrong_type"),
        ("name", "wrong_type"),
        ("x", "unknown_field"),
    ]


@pytest.mark.parametrize(
    ("record", "meant"),
    [
        ({"commerce": {"purchase": {"value": 1}}}, "commerce.purchases"),
        ({"commerce": {"order": {"pricetotal": 1}}}, "commerce.order.priceTotal"),
        ({"productlistitems": []}, "productListItems"),
        ({"productListItems": [{"SKU": "a", "pricTotal": 1}]}, "productListItems[0].priceTotal"),
        ({"identityMap": {"ECID": [{"ID": "1"}]}}, "identityMap.ECID[0].id"),
        ({"purchases": {"value": 1}}, "commerce.purchases"),
        ({"paymentAmount": 1}, "commerce.order.payments.paymentAmount"),
    ],
)
def test_an_unknown_field_is_answered_with_the_one_that_was_meant(record, meant):
    (error,) = digital_transactions().validate({**EVENT, **record})

    assert error.code == "unknown_field"
    assert f"Did you mean '{meant}'?" in error.detail


def test_an_unknown_field_that_is_like_nothing_gets_no_hint():
    (error,) = digital_transactions().validate({**EVENT, "zzzzqqq": 1})

    assert error.detail == "The schema has no field 'zzzzqqq'."


def test_an_object_where_a_list_belongs_is_a_wrong_type():
    record = {**EVENT, "commerce": {"order": {"payments": {"paymentAmount": 1}}}}

    assert errors(digital_transactions(), record) == [("commerce.order.payments", "wrong_type")]


@pytest.mark.parametrize("record", [[], "text", 1, None, True])
def test_a_record_is_an_object(record):
    (error,) = compiled(name=TEXT).validate(record)

    assert error.code in ("wrong_type", "null_value")


def test_a_record_that_cannot_be_read_is_not_held_against_the_schema():
    assert errors(compiled(name=TEXT), {"name": "\ud800", "x": 1}) == [("name", "lone_surrogate")]


def test_what_cannot_be_stored_is_told_together_with_what_the_schema_refuses():
    record = {"name": "a\x00", "age": 1}

    assert errors(compiled(name=TEXT), record) == [
        ("age", "unknown_field"),
        ("name", "nul_character"),
    ]


def test_limits_of_size_hold():
    schema = compile_schema(resolve(resolved(name=TEXT), {}.get))

    assert errors(schema, {"name": "x" * Limits().max_bytes}) == [("", "record_too_large")]
    assert schema.validate({"name": "x" * (Limits().max_bytes - 20)}) == []


def test_is_valid_agrees_with_validate():
    schema = digital_transactions()

    for record in (EVENT, {**EVENT, "x": 1}, {}, {**EVENT, "eventType": "a\x00"}):
        assert schema.is_valid(record) == (not schema.validate(record))


def test_alternatives_of_an_imported_schema_are_kept():
    schema = compile_schema(
        resolve(
            {
                "type": "object",
                "properties": {"id": TEXT},
                "oneOf": [
                    {"properties": {"a": TEXT}, "required": ["a"]},
                    {"properties": {"b": TEXT}, "required": ["b"]},
                ],
            },
            {}.get,
        )
    )

    assert schema.validate({"id": "1", "a": "x"}) == []
    assert schema.validate({"b": "x"}) == []
    assert errors(schema, {"a": "x", "b": "y"})[0][1] == "no_alternative"
    assert {"id", "a", "b"} == schema.fields.keys()


def test_a_document_that_is_no_schema_is_refused():
    with pytest.raises(Refused) as refusal:
        validator_of({"type": "nonsense"})

    assert refusal.value.problems[0].rule == "malformed"


def test_a_label_holds_for_everything_below_its_field():
    schema = compiled(person=resolved(name=resolved(first=TEXT), age={"type": "integer"}), x=TEXT)

    marked = labelled(schema.fields, {"person": ["S2"], "person.name.first": ["I1"]})

    assert {path: set(field.labels) for path, field in marked.items()} == {
        "person": {"S2"},
        "person.name": {"S2"},
        "person.name.first": {"S2", "I1"},
        "person.age": {"S2"},
        "x": set(),
    }
