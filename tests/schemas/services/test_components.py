"""Making, changing and deleting classes, field groups and data types."""

import pytest

from cdp.schemas.errors import ChangeRefused, DefinitionRefused, ResourceInUse, StandardResource
from cdp.schemas.models import Component, ResourceVersion
from cdp.schemas.registry.catalogue import EVENT_CLASS, PROFILE_CLASS, RECORD, TIME_SERIES
from cdp.schemas.registry.resources import Kind
from cdp.schemas.selectors import compiled_schema, find_component
from cdp.schemas.services.components import change_component, create_component, delete_component
from cdp.schemas.services.schemas import enable_for_profile
from cdp.tenancy.errors import NameTaken
from tests.schemas.making import (
    ACTOR,
    CONTACT,
    DEMOGRAPHIC,
    NS,
    TEXT,
    add_identity,
    make_group,
    make_schema,
    own,
    root,
)

NUMBER = {"type": "number"}
BUCKETS = {"type": "object", "additionalProperties": {"type": "integer"}}


def make(sandbox, kind, title="Thing", **values):
    return create_component(actor=ACTOR, sandbox=sandbox, kind=kind, title=title, **values)


def rules(refusal):
    return [(error["code"], error["path"]) for error in refusal.value.errors]


@pytest.mark.acceptance("A-13")
def test_a_field_group_of_ones_own_joins_a_schema(in_scope):
    group = make_group(in_scope, PROFILE_CLASS, tier=TEXT)

    schema = make_schema(in_scope, group.uri)

    assert group.uri.startswith(f"{NS}{in_scope.organization.tenant_namespace}/mixins/fg_")
    record = {root(in_scope): {"tier": "gold"}}
    assert compiled_schema(in_scope, schema.pk).validate(record) == []


def test_a_field_group_joins_only_the_classes_it_names(in_scope):
    group = make_group(in_scope, EVENT_CLASS)

    with pytest.raises(DefinitionRefused) as refusal:
        make_schema(in_scope, group.uri)

    assert rules(refusal) == [("field-group-fits-class", "")]


@pytest.mark.acceptance("B-06")
def test_a_schema_that_allows_decile_bucketing_can_be_created(in_scope):
    months = ("1", "3", "6", "9", "12", "All")
    deciles = make(
        in_scope,
        Kind.DATA_TYPE,
        "Deciles",
        definition={"properties": {f"decileMonth{month}": BUCKETS for month in months}},
    )

    schema = make_schema(
        in_scope, membershipNumber=TEXT, decilesMileage={"$ref": deciles.uri}, title="Deciles"
    )

    compiled = compiled_schema(in_scope, schema.pk)
    path = f"{root(in_scope)}.decilesMileage.decileMonth3"
    assert compiled.fields[path].type == "map"
    assert compiled.fields[f"{path}.*"].type == "integer"
    mileage = {"decileMonth1": {"gold": 1, "silver": 10}, "decileMonthAll": {"gold": 2}}
    record = {root(in_scope): {"membershipNumber": "m-1", "decilesMileage": mileage}}
    assert compiled.validate(record) == []
    mileage["decileMonth1"]["gold"] = "first"
    assert [e.path for e in compiled.validate(record)] == [
        f"{root(in_scope)}.decilesMileage.decileMonth1.gold"
    ]


def test_a_class_of_ones_own_has_the_behavior_it_extends(in_scope):
    things = make(in_scope, Kind.CLASS, bases=[RECORD], definition=own(in_scope, size=NUMBER))
    moments = make(in_scope, Kind.CLASS, "Moment", bases=[TIME_SERIES])

    assert make_schema(in_scope, class_uri=things.uri, title="A").behavior == "record"
    assert make_schema(in_scope, class_uri=moments.uri, title="B").behavior == "time-series"


def test_a_class_without_a_behavior_makes_no_schema(in_scope):
    lonely = make(in_scope, Kind.CLASS)

    with pytest.raises(DefinitionRefused) as refusal:
        make_schema(in_scope, class_uri=lonely.uri)

    assert rules(refusal) == [("class-behavior", "")]


@pytest.mark.parametrize(
    ("kind", "values", "rule"),
    [
        (Kind.CLASS, {"bases": [DEMOGRAPHIC[:-1]]}, "unknown-reference"),
        (Kind.FIELD_GROUP, {"classes": [DEMOGRAPHIC]}, "unknown-reference"),
        (Kind.FIELD_GROUP, {"definition": {"properties": {"tier": TEXT}}}, "tenant-namespace"),
        (Kind.FIELD_GROUP, {"definition": {"$id": "x"}}, "malformed"),
        (Kind.FIELD_GROUP, {"definition": {"properties": []}}, "malformed"),
        (Kind.DATA_TYPE, {"definition": {"allOf": [{"$ref": DEMOGRAPHIC}]}}, "reference-kind"),
        (Kind.DATA_TYPE, {"definition": {"allOf": {}}}, "malformed"),
        (Kind.DATA_TYPE, {"definition": {"definitions": []}}, "malformed"),
        (Kind.DATA_TYPE, {"definition": {"properties": {"a": "text"}}}, "malformed"),
        (
            Kind.DATA_TYPE,
            {"definition": {"properties": {"a": {"$ref": "#/definitions/b"}}}},
            "unknown-reference",
        ),
        (
            Kind.DATA_TYPE,
            {
                "definition": {
                    "definitions": {"b": {"$ref": "#/definitions/b"}},
                    "properties": {"a": {"$ref": "#/definitions/b"}},
                }
            },
            "reference-cycle",
        ),
        (
            Kind.DATA_TYPE,
            {"definition": {"properties": {"a": {**BUCKETS, "properties": {"b": TEXT}}}}},
            "map-values",
        ),
        (
            Kind.DATA_TYPE,
            {"definition": {"properties": {"a": {"type": "string", "title": "\x00"}}}},
            "malformed",
        ),
    ],
)
def test_a_component_that_breaks_a_rule_is_refused_by_its_name(in_scope, kind, values, rule):
    with pytest.raises(DefinitionRefused) as refusal:
        make(in_scope, kind, **values)

    assert rule in [name for name, _ in rules(refusal)]
    assert not Component.objects.for_sandbox(in_scope).exists()


def test_a_title_is_used_once_for_each_kind(in_scope):
    make(in_scope, Kind.DATA_TYPE, "Same")
    make(in_scope, Kind.FIELD_GROUP, "Same")

    with pytest.raises(NameTaken):
        make(in_scope, Kind.DATA_TYPE, "Same")

    assert Component.objects.for_sandbox(in_scope).count() == 2


def test_a_changed_group_changes_the_schemas_that_rest_on_it(in_scope):
    kind = make(in_scope, Kind.DATA_TYPE, "Size", definition={"properties": {"cm": NUMBER}})
    group = make_group(in_scope, size={"$ref": kind.uri})
    schema = make_schema(in_scope, group.uri)
    path = f"{root(in_scope)}.size"

    change_component(
        actor=ACTOR, component=kind, definition={"properties": {"inch": NUMBER, "cm": None}}
    )

    assert {p for p in compiled_schema(in_scope, schema.pk).fields if p.startswith(path)} == {
        path,
        f"{path}.inch",
    }
    schema.refresh_from_db()
    assert schema.version == 2
    version = ResourceVersion.objects.for_sandbox(in_scope).get(resource_id=schema.pk, version=2)
    assert version.reason == "The data type 'Size' has changed to version 1.2."


def test_the_lock_spreads_to_what_a_used_schema_rests_on(in_scope):
    kind = make(in_scope, Kind.DATA_TYPE, "Size", definition={"properties": {"cm": NUMBER}})
    group = make_group(in_scope, size={"$ref": kind.uri})
    schema = make_schema(in_scope, CONTACT, group.uri)
    add_identity(schema, "personalEmail.address")
    enable_for_profile(actor=ACTOR, schema=schema)

    with pytest.raises(ChangeRefused) as refusal:
        change_component(
            actor=ACTOR, component=kind, definition={"properties": {"cm": {"type": "string"}}}
        )

    assert rules(refusal) == [("type-changed", f"{root(in_scope)}.size.cm")]
    assert "'People' is in use" in refusal.value.detail
    kind.refresh_from_db()
    assert kind.version == 1
    grown = change_component(
        actor=ACTOR, component=kind, definition={"properties": {"inch": NUMBER}}
    )
    assert grown.version == 2


def test_a_component_that_others_rest_on_stays(in_scope):
    group = make_group(in_scope)
    schema = make_schema(in_scope, group.uri)

    with pytest.raises(ResourceInUse) as refusal:
        delete_component(actor=ACTOR, component=group)

    assert refusal.value.extra["dependents"] == [
        {"type": "schema", "id": schema.pk, "name": "People"}
    ]
    schema.delete()
    key = group.pk
    delete_component(actor=ACTOR, component=group)
    assert find_component(in_scope, Kind.FIELD_GROUP, key) is None


def test_a_published_standard_is_read_only(in_scope):
    group = make_group(in_scope)
    group.imported = True
    group.save()

    with pytest.raises(StandardResource):
        change_component(actor=ACTOR, component=group, title="Mine")

    group.refresh_from_db()
    assert group.title == "Loyalty"
