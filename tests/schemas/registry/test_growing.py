"""What a schema in use may become, and what several schemas are together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.schemas.registry.compatibility import breaks
from cdp.schemas.registry.drafting import Draft, differences, draft_of, merge_patch
from cdp.schemas.registry.fields import fields_of
from cdp.schemas.registry.problems import Refused
from cdp.schemas.registry.resolve import resolve
from cdp.schemas.registry.resources import Kind
from cdp.schemas.registry.sampling import sample_record
from cdp.schemas.registry.unions import conflicts, join_fields, union
from cdp.schemas.registry.validation import compile_schema
from tests.schemas.registry import test_second_opinion as made_up
from tests.schemas.registry.standard import resolved

TEXT = {"type": "string"}
NUMBER = {"type": "number"}


def closed(**properties):
    return resolve(resolved(**properties), {}.get)


def rules(before, after):
    return [(p.rule, p.path) for p in breaks(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": TEXT}, {"a": TEXT, "b": TEXT}, []),
        ({"a": TEXT}, {}, [("field-removed", "a")]),
        ({"a": TEXT}, {"A": TEXT}, [("field-removed", "a")]),
        ({"a": TEXT}, {"a": NUMBER}, [("type-changed", "a")]),
        ({"a": TEXT}, {"a": {"type": "array", "items": TEXT}}, [("type-changed", "a")]),
        ({"a": TEXT}, {"a": {"type": "string", "format": "uri"}}, [("format-changed", "a")]),
        ({"a": {"type": "string", "format": "uri"}}, {"a": TEXT}, [("format-changed", "a")]),
        ({"a": {"type": "integer"}}, {"a": NUMBER}, [("type-changed", "a")]),
        ({"a": {"type": "integer", "meta:xdmType": "short"}}, {"a": {"type": "integer"}}, []),
        (
            {"a": {"type": "integer"}},
            {"a": {"type": "integer", "meta:xdmType": "short"}},
            [("range-narrowed", "a"), ("range-narrowed", "a")],
        ),
        ({"a": resolved(b=TEXT)}, {"a": resolved(c=TEXT)}, [("field-removed", "a.b")]),
        (
            {"a": resolved(b=TEXT)},
            {"a": {"type": "object", "additionalProperties": TEXT}},
            [("type-changed", "a")],
        ),
        ({"a": {"type": "object"}}, {"a": resolved(b=TEXT)}, [("narrowed", "a")]),
        (
            {"a": {"type": "object", "additionalProperties": TEXT}},
            {"a": {"type": "object", "additionalProperties": NUMBER}},
            [("type-changed", "a.*")],
        ),
        ({"a": {**TEXT, "pattern": "^a"}}, {"a": TEXT}, []),
        ({"a": {**TEXT, "minLength": 3}}, {"a": {**TEXT, "minLength": 2}}, []),
        (
            {"a": {"type": "array", "items": TEXT}},
            {"a": {"type": "array", "items": TEXT, "uniqueItems": True}},
            [("narrowed", "a")],
        ),
    ],
)
def test_what_a_change_breaks(before, after, expected):
    assert rules(closed(**before), closed(**after)) == expected


@given(made_up.SCHEMAS, made_up.SCHEMAS)
def test_a_change_that_breaks_nothing_takes_every_old_record(before, after):
    old, new = resolve(before, {}.get), resolve(after, {}.get)
    if made_up._contradicts(before) or list(breaks(old, new)):
        return
    record = sample_record(compile_schema(old))

    faults = {error.code for error in compile_schema(new).validate(record)}

    assert faults <= {"required"}  # what has become required holds for new records


@given(made_up.SCHEMAS)
def test_nothing_breaks_where_nothing_changes(document):
    same = resolve(document, {}.get)

    assert list(breaks(same, same)) == []


def member(title, **properties):
    tree = closed(**properties)
    return title, tree, fields_of(tree)


def test_a_union_has_every_field_and_no_constraint():
    first = member("First", tier={"type": "string", "enum": ["gold"]}, n=resolved(a=TEXT))
    second = member("Second", tier={"type": "string", "enum": ["silver"]}, n=resolved(b=NUMBER))

    whole = union("All", "all", [first, second])
    fields = join_fields([first[2], second[2]])

    assert set(whole["properties"]["n"]["properties"]) == {"a", "b"}
    assert whole["properties"]["tier"]["meta:enum"] == {"gold": "gold", "silver": "silver"}
    assert "enum" not in whole["properties"]["tier"]
    assert fields["tier"].suggested == ("gold", "silver")
    assert set(fields) == {"tier", "n", "n.a", "n.b"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (TEXT, NUMBER),
        (TEXT, {"type": "string", "format": "date"}),
        (TEXT, {"type": "array", "items": TEXT}),
        (resolved(x=TEXT), {"type": "object", "additionalProperties": TEXT}),
    ],
)
def test_a_union_refuses_one_path_for_two_things(first, second):
    members = [member("First", a=first), member("Second", a=second)]

    with pytest.raises(Refused) as raised:
        union("All", "all", members)

    problems = raised.value.problems
    assert ("union-conflict", "a") in [(p.rule, p.path) for p in problems]
    assert "'First'" in problems[0].detail
    assert "'Second'" in problems[0].detail
    assert list(conflicts([(title, fields) for title, _, fields in members])) == list(problems)


DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)),
    lambda below: st.dictionaries(st.text(max_size=2), below, max_size=3),
    max_leaves=8,
)


@given(DOCUMENTS, DOCUMENTS)
def test_differences_tell_whether_two_documents_differ(before, after):
    assert (list(differences(before, after)) == []) == (before == after)


@given(DOCUMENTS)
def test_merging_a_document_into_nothing_leaves_out_its_nulls(document):
    merged = merge_patch({}, document)

    if isinstance(document, dict):
        assert set(merged) == {key for key, value in document.items() if value is not None}
        assert merge_patch(merged, merged) == merged
    else:
        assert merged == document


@pytest.mark.parametrize("kind", [Kind.CLASS, Kind.FIELD_GROUP, Kind.DATA_TYPE, Kind.SCHEMA])
def test_a_document_is_the_draft_that_it_was_made_from(kind):
    based = kind in (Kind.CLASS, Kind.SCHEMA)
    draft = Draft(
        kind=kind,
        uri="https://ns.adobe.com/luma/x",
        title="Title",
        description="What it is for.",
        bases=("https://ns.adobe.com/a", "https://ns.adobe.com/b") if based else (),
        classes=("https://ns.adobe.com/c",) if kind is Kind.FIELD_GROUP else (),
        definition={
            "properties": {"_luma": resolved(a=TEXT)},
            "definitions": {"d": TEXT},
            "allOf": [{"$ref": "#/definitions/d"}],
            "meta:status": "stable",
        },
    )

    assert draft_of(draft.document(), kind) == draft


@pytest.mark.parametrize("keyword", ["$id", "title", "meta:class", "meta:intendedToExtend"])
def test_a_definition_does_not_say_what_stands_beside_it(keyword):
    draft = Draft(Kind.SCHEMA, "uri", "Title", definition={keyword: "x"})

    with pytest.raises(Refused) as raised:
        draft.document()

    assert raised.value.problems[0].path == keyword
