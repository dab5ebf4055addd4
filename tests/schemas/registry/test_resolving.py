"""Folding references, joining descriptions and closing what is left open."""

import pytest

from cdp.schemas.registry.fields import fields_of
from cdp.schemas.registry.merge import merge
from cdp.schemas.registry.problems import Refused
from cdp.schemas.registry.resolve import fold, resolve
from tests.schemas.registry.standard import resolved

TEXT = {"type": "string"}
KEY = {"pattern": "^[^\\x00.]+$"}


def refusal(document: dict, **others: dict) -> tuple[str, str]:
    with pytest.raises(Refused) as raised:
        resolve(document, others.get)
    (problem,) = raised.value.problems
    return problem.rule, problem.path


def test_references_and_branches_become_one_description():
    others = {"size": {"$id": "size", "title": "Size", "properties": {"cm": {"type": "number"}}}}
    document = {
        "$id": "coat",
        "title": "Coat",
        "definitions": {"named": {"properties": {"name": TEXT}, "required": ["name"]}},
        "allOf": [{"$ref": "#/definitions/named"}],
        "properties": {"size": {"title": "How large", "$ref": "size"}},
    }

    assert resolve(document, others.get) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "coat",
        "title": "Coat",
        "type": "object",
        "properties": {
            "size": {
                "title": "How large",
                "type": "object",
                "properties": {"cm": {"type": "number", "meta:xdmType": "double"}},
                "additionalProperties": False,
                "meta:xdmType": "object",
            },
            "name": {"type": "string", "meta:xdmType": "string"},
        },
        "required": ["name"],
        "additionalProperties": False,
        "meta:xdmType": "object",
    }


def test_what_is_left_open_is_written_down():
    document = resolved(
        free={"type": "object"},
        any={},
        tags={"type": "array"},
        totals={"type": "object", "additionalProperties": {"type": "integer"}},
        known_and_more={**resolved(a=TEXT), "additionalProperties": True},
        small={"type": "integer", "meta:xdmType": "short", "minimum": 0},
    )

    closed = resolve(document, {}.get)

    anything = {"$ref": "#/$defs/anything"}
    fields = closed["properties"]
    assert fields["free"]["additionalProperties"] == anything
    assert fields["free"]["propertyNames"] == KEY
    assert fields["any"] == anything
    assert fields["tags"]["items"] == anything
    assert fields["totals"]["propertyNames"] == KEY
    assert fields["totals"]["meta:xdmType"] == "map"
    assert fields["known_and_more"]["additionalProperties"] == anything
    assert (fields["small"]["minimum"], fields["small"]["maximum"]) == (0, 32767)
    assert set(closed["$defs"]) == {"anything", "holding_booleans", "booleans"}


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ({"minimum": 1}, {"minimum": 3}, {"minimum": 3}),
        ({"maximum": 1}, {"maximum": 3}, {"maximum": 1}),
        ({"enum": ["a", "b"]}, {"enum": ["b", "c"]}, {"enum": ["b"]}),
        ({"required": ["a"]}, {"required": ["b", "a"]}, {"required": ["a", "b"]}),
        ({"title": "A"}, {"title": "B", "x": 1}, {"title": "A", "x": 1}),
        (
            {"meta:enum": {"a": "A"}},
            {"meta:enum": {"a": "X", "b": "B"}},
            {"meta:enum": {"a": "A", "b": "B"}},
        ),
        ({"uniqueItems": False}, {"uniqueItems": True}, {"uniqueItems": True}),
        ({"items": {"minLength": 1}}, {"items": {"minLength": 2}}, {"items": {"minLength": 2}}),
        (
            {"additionalProperties": False},
            {"additionalProperties": TEXT},
            {"additionalProperties": False},
        ),
        (
            {"additionalProperties": True},
            {"additionalProperties": TEXT},
            {"additionalProperties": TEXT},
        ),
        (resolved(a=TEXT), resolved(b=TEXT), resolved(a=TEXT, b=TEXT)),
    ],
)
def test_two_descriptions_become_what_satisfies_both(first, second, both):
    assert merge(first, second) == both
    assert merge(first, first) == first
    assert merge(first, {}) == first


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"type": "string"}, {"type": "number"}),
        ({"format": "date"}, {"format": "uri"}),
        ({"pattern": "a"}, {"pattern": "b"}),
        ({"enum": ["a"]}, {"enum": ["b"]}),
    ],
)
def test_what_nothing_could_satisfy_is_refused_with_its_path(first, second):
    with pytest.raises(Refused) as raised:
        merge(resolved(a=resolved(b=first)), resolved(a=resolved(b=second)))

    assert [(p.rule, p.path) for p in raised.value.problems] == [("conflicting-field", "a.b")]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (resolved(a={"$ref": "nowhere"}), ("unknown-reference", "a")),
        (resolved(a={"$ref": "#/definitions/b"}), ("unknown-reference", "a")),
        ({"$id": "x", **resolved(a={"$ref": "#"})}, ("reference-cycle", "a.a")),
        (resolved(a={"type": "string", "pattern": "\\b"}), ("portable-pattern", "a")),
        (resolved(a="text"), ("malformed", "a")),
        ({"allOf": [resolved(a=TEXT), resolved(a={"type": "number"})]}, ("conflicting-field", "a")),
    ],
)
def test_what_cannot_be_resolved_is_refused_with_its_path(document, expected):
    assert refusal(document) == expected


def test_references_in_a_circle_are_refused():
    first = {"$id": "first", **resolved(a={"$ref": "second"})}
    second = {"$id": "second", **resolved(b={"$ref": "first"})}

    assert refusal(first, first=first, second=second)[0] == "reference-cycle"


def test_a_tuple_of_an_older_draft_is_kept():
    folded = fold({"type": "array", "items": [TEXT, {"type": "number"}]}, {}.get)

    assert folded["prefixItems"] == [TEXT, {"type": "number"}]


def test_fields_are_listed_with_the_lists_and_maps_around_them():
    document = resolved(
        orders={
            "type": "array",
            "items": resolved(lines={"type": "array", "items": resolved(sku=TEXT)}),
        },
        tags={"type": "array", "items": TEXT},
        matrix={"type": "array", "items": {"type": "array", "items": TEXT}},
        scores={"type": "object", "additionalProperties": {"type": "array", "items": TEXT}},
    )

    fields = fields_of(resolve(document, {}.get))

    assert {path: (field.type, field.array, field.in_array) for path, field in fields.items()} == {
        "orders": ("object", True, ()),
        "orders.lines": ("object", True, ("orders",)),
        "orders.lines.sku": ("string", False, ("orders", "orders.lines")),
        "tags": ("string", True, ()),
        "matrix": ("array", False, ()),
        "scores": ("map", False, ()),
        "scores.*": ("string", True, ()),
    }
    assert fields["orders.lines.sku"].name == "sku"
    assert [path for path, field in fields.items() if field.is_leaf] == [
        "orders.lines.sku",
        "tags",
        "matrix",
        "scores.*",
    ]
