"""Making, changing and deleting schemas."""

import pytest

from cdp.errors import Conflict
from cdp.schemas.errors import ChangeRefused, DefinitionRefused, ResourceInUse
from cdp.schemas.models import ResourceVersion, Schema
from cdp.schemas.registry.catalogue import EVENT_CLASS, PROFILE_CLASS
from cdp.schemas.registry.descriptors import DescriptorKind
from cdp.schemas.selectors import compiled_schema, union_fields
from cdp.schemas.services.descriptors import create_descriptor
from cdp.schemas.services.schemas import change_schema, delete_schema, enable_for_profile
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import AuditEvent
from tests.schemas.making import (
    ACTOR,
    AUDIT,
    CONSENTS,
    CONTACT,
    DEMOGRAPHIC,
    IDENTITY_MAP,
    NS,
    TEXT,
    add_identity,
    make_event_schema,
    make_group,
    make_profile_schema,
    make_schema,
    own,
    root,
)

NUMBER = {"type": "number"}


def rules(refusal: pytest.ExceptionInfo) -> list[tuple[str, str]]:
    return [(error["code"], error["path"]) for error in refusal.value.errors]


def stored(sandbox) -> list[tuple[str, int]]:
    rows = Schema.objects.for_sandbox(sandbox).order_by("pk")
    return list(rows.values_list("title", "version"))


@pytest.mark.acceptance("A-14")
def test_customer_attributes_are_composed_of_four_standard_groups(in_scope):
    schema = make_schema(in_scope, DEMOGRAPHIC, CONTACT, AUDIT, CONSENTS, tier=TEXT)

    compiled = compiled_schema(in_scope, schema.pk)
    assert (schema.behavior, schema.class_uri) == ("record", PROFILE_CLASS)
    assert {DEMOGRAPHIC, CONTACT, AUDIT, CONSENTS} <= set(schema.references)
    record = {
        "person": {"name": {"firstName": "Ada"}, "birthDate": "1815-12-10"},
        "personalEmail": {"address": "ada@example.com"},
        "extSourceSystemAudit": {"lastUpdatedDate": "2026-01-01T00:00:00Z"},
        "consents": {"collect": {"val": "y"}},
        root(in_scope): {"tier": "gold"},
    }
    assert compiled.validate(record) == []


def test_making_a_schema_is_audited_and_starts_its_history(in_scope):
    schema = make_schema(in_scope, DEMOGRAPHIC)

    event = AuditEvent.objects.for_organization(in_scope.organization).get(action="schema.created")
    assert (event.target_id, event.actor_name) == (schema.pk, "tests")
    version = ResourceVersion.objects.for_sandbox(in_scope).get(resource_id=schema.pk)
    assert (version.version, version.document, version.changes) == (1, schema.document, [])


@pytest.mark.parametrize(
    ("groups", "class_uri", "properties", "rule"),
    [
        ([CONSENTS], EVENT_CLASS, {}, "field-group-fits-class"),
        ([f"{NS}xdm/nothing"], PROFILE_CLASS, {}, "unknown-reference"),
        ([f"{NS}xdm/common/address"], PROFILE_CLASS, {}, "reference-kind"),
        ([EVENT_CLASS], PROFILE_CLASS, {}, "one-class"),
        ([], DEMOGRAPHIC, {}, "one-class"),
        ([], PROFILE_CLASS, {"a.b": TEXT}, "field-name"),
        ([], PROFILE_CLASS, {"_a": TEXT}, "field-name"),
        ([], PROFILE_CLASS, {"a": TEXT, "A": TEXT}, "case-clash"),
        ([], PROFILE_CLASS, {"a": {}}, "type-missing"),
        ([], PROFILE_CLASS, {"a": {"type": "null"}}, "type-missing"),
        ([], PROFILE_CLASS, {"a": {"type": "string", "pattern": "(?=x)"}}, "portable-pattern"),
        ([], PROFILE_CLASS, {"a": {"type": "string", "format": "hostname"}}, "format"),
        ([], PROFILE_CLASS, {"a": {"oneOf": [TEXT, NUMBER]}}, "plain-types"),
        ([], PROFILE_CLASS, {"a": {"$ref": DEMOGRAPHIC}}, "reference-kind"),
        ([], PROFILE_CLASS, {"a": {"$ref": f"{NS}nothing"}}, "unknown-reference"),
        ([], PROFILE_CLASS, {"a": {"type": "array"}}, "type-missing"),
    ],
)
def test_a_schema_that_breaks_a_rule_is_refused_by_its_name(
    in_scope, groups, class_uri, properties, rule
):
    with pytest.raises(DefinitionRefused) as refusal:
        make_schema(in_scope, *groups, class_uri=class_uri, **properties)

    assert rule in [name for name, _ in rules(refusal)]
    assert stored(in_scope) == []


def test_own_fields_stand_under_the_tenants_root(in_scope):
    definition = {"properties": {"tier": TEXT, "_other": {"type": "object"}}}

    with pytest.raises(DefinitionRefused) as refusal:
        change_schema(actor=ACTOR, schema=make_schema(in_scope), definition=definition)

    assert {path for rule, path in rules(refusal) if rule == "tenant-namespace"} == {
        "tier",
        "_other",
    }
    assert root(in_scope) in refusal.value.errors[0]["detail"]
    assert stored(in_scope) == [("People", 1)]


def test_two_parts_that_contradict_each_other_are_refused_with_both_names(in_scope):
    first = make_group(in_scope, title="First", tier=TEXT)
    second = make_group(in_scope, title="Second", tier=NUMBER)

    with pytest.raises(DefinitionRefused) as refusal:
        make_schema(in_scope, first.uri, second.uri)

    (error,) = refusal.value.errors
    assert (error["code"], error["path"]) == ("conflicting-field", f"{root(in_scope)}.tier")
    assert "'First'" in error["detail"]
    assert "'Second'" in error["detail"]


def test_a_title_is_used_once(in_scope):
    make_schema(in_scope)

    with pytest.raises(NameTaken):
        make_schema(in_scope)
    with pytest.raises(NameTaken):
        change_schema(actor=ACTOR, schema=make_schema(in_scope, title="Other"), title="People")

    assert stored(in_scope) == [("People", 1), ("Other", 1)]


def test_anything_may_change_while_nothing_stands_on_the_schema(in_scope):
    schema = make_schema(in_scope, DEMOGRAPHIC, tier=TEXT, gone=TEXT)

    changed = change_schema(
        actor=ACTOR,
        schema=schema,
        title="Guests",
        field_groups=[CONTACT],
        definition=own(in_scope, tier=NUMBER, gone=None),
    )

    fields = compiled_schema(in_scope, schema.pk).fields
    assert (changed.title, changed.version) == ("Guests", 2)
    assert fields[f"{root(in_scope)}.tier"].type == "number"
    assert f"{root(in_scope)}.gone" not in fields
    assert "person" not in fields
    assert "homeAddress" in fields


def test_history_tells_what_changed(in_scope):
    schema = make_schema(in_scope, tier=TEXT)

    change_schema(actor=ACTOR, schema=schema, definition=own(in_scope, points=NUMBER))

    version = ResourceVersion.objects.for_sandbox(in_scope).get(resource_id=schema.pk, version=2)
    assert version.changes == [
        {
            "action": "add",
            "path": f"/properties/{root(in_scope)}/properties/points",
            "after": NUMBER,
        }
    ]


def test_a_change_that_changes_nothing_makes_no_version(in_scope):
    schema = make_schema(in_scope, tier=TEXT)

    change_schema(actor=ACTOR, schema=schema, title="People", definition={})

    assert stored(in_scope) == [("People", 1)]


GROWS = [
    {"points": NUMBER},
    {"code": {"enum": ["a", "b", "c"]}},
    {"size": {"maximum": 20}},
    {"size": {"maximum": None}},
    {"tier": {"title": "Level", "meta:status": "deprecated"}},
]
SHRINKS = [
    ({"tier": None}, "field-removed"),
    ({"tier": {"type": "number"}}, "type-changed"),
    ({"tier": {"format": "date"}}, "format-changed"),
    ({"tier": {"enum": ["gold"]}}, "enum-narrowed"),
    ({"tier": {"maxLength": 3}}, "range-narrowed"),
    ({"tier": {"pattern": "^a"}}, "narrowed"),
    ({"code": {"enum": ["a"]}}, "enum-narrowed"),
    ({"size": {"maximum": 5}}, "range-narrowed"),
    ({"size": {"minimum": 1}}, "range-narrowed"),
    ({"names": {"items": {"type": "integer"}}}, "type-changed"),
    ({"names": {"maxItems": 2}}, "range-narrowed"),
    ({"totals": {"additionalProperties": {"type": "string"}}}, "type-changed"),
]


@pytest.fixture
def used(in_scope):
    """A schema that Profile reads, so that it may only grow."""
    schema = make_schema(
        in_scope,
        CONTACT,
        tier=TEXT,
        code={"type": "string", "enum": ["a", "b"]},
        size={"type": "number", "maximum": 10},
        names={"type": "array", "items": TEXT},
        totals={"type": "object", "additionalProperties": NUMBER},
    )
    add_identity(schema, "personalEmail.address")
    return enable_for_profile(actor=ACTOR, schema=schema)


@pytest.mark.parametrize("properties", GROWS)
def test_a_schema_in_use_may_grow(in_scope, used, properties):
    changed = change_schema(actor=ACTOR, schema=used, definition=own(in_scope, **properties))

    assert changed.version == used.version + 1


def test_a_schema_in_use_may_get_field_groups_and_required_fields(in_scope, used):
    definition = own(in_scope)
    definition["properties"][root(in_scope)]["required"] = ["tier"]

    changed = change_schema(
        actor=ACTOR, schema=used, field_groups=[CONTACT, DEMOGRAPHIC], definition=definition
    )

    fields = compiled_schema(in_scope, changed.pk).fields
    assert fields[f"{root(in_scope)}.tier"].required
    assert "person.name" in fields


@pytest.mark.parametrize(("properties", "rule"), SHRINKS)
def test_a_schema_in_use_may_not_shrink(in_scope, used, properties, rule):
    before = stored(in_scope)

    with pytest.raises(ChangeRefused) as refusal:
        change_schema(actor=ACTOR, schema=used, definition=own(in_scope, **properties))

    (name,) = properties
    ((found, path),) = rules(refusal)
    assert found == rule
    assert path.startswith(f"{root(in_scope)}.{name}")
    assert stored(in_scope) == before
    assert compiled_schema(in_scope, used.pk).version == f"1.{used.version}"


def test_a_field_group_that_brings_fields_stays(in_scope, used):
    with pytest.raises(ChangeRefused) as refusal:
        change_schema(actor=ACTOR, schema=used, field_groups=[])

    assert ("field-removed", "homeAddress") in rules(refusal)


@pytest.mark.acceptance("A-29")
def test_profile_wants_a_primary_identity(in_scope):
    schema = make_schema(in_scope, CONTACT)
    with pytest.raises(ChangeRefused) as refusal:
        enable_for_profile(actor=ACTOR, schema=schema)
    assert rules(refusal) == [("primary-identity", "")]
    add_identity(schema, "mobilePhone.number", "Phone", primary=False)
    with pytest.raises(ChangeRefused):
        enable_for_profile(actor=ACTOR, schema=schema)
    add_identity(schema, "personalEmail.address")

    enabled = enable_for_profile(actor=ACTOR, schema=schema)

    assert enabled.profile_enabled
    assert not enabled.identity_map_primary
    assert "personalEmail.address" in union_fields(in_scope, PROFILE_CLASS)


def test_an_identity_map_may_bring_the_primary_identity_if_somebody_says_so(in_scope):
    events = make_event_schema(in_scope)
    with pytest.raises(ChangeRefused):
        enable_for_profile(actor=ACTOR, schema=events)

    enabled = enable_for_profile(actor=ACTOR, schema=events, identity_map_primary=True)

    assert enabled.identity_map_primary
    without = make_schema(in_scope, title="No map")
    with pytest.raises(ChangeRefused) as refusal:
        enable_for_profile(actor=ACTOR, schema=without, identity_map_primary=True)
    assert "IdentityMap" in refusal.value.detail
    with_map = make_schema(in_scope, IDENTITY_MAP, title="Map")
    assert enable_for_profile(
        actor=ACTOR, schema=with_map, identity_map_primary=True
    ).profile_enabled


def test_two_schemas_that_contradict_each_other_cannot_both_be_in_profile(in_scope):
    first = make_schema(in_scope, CONTACT, title="First", tier=TEXT)
    second = make_schema(in_scope, CONTACT, title="Second", tier=NUMBER)
    for schema in (first, second):
        add_identity(schema, "personalEmail.address")
    enable_for_profile(actor=ACTOR, schema=first)

    with pytest.raises(ChangeRefused) as refusal:
        enable_for_profile(actor=ACTOR, schema=second)

    assert rules(refusal) == [("union-conflict", f"{root(in_scope)}.tier")]
    assert "'First'" in refusal.value.detail
    second.refresh_from_db()
    assert not second.profile_enabled


def test_a_schema_in_profile_cannot_grow_into_a_contradiction(in_scope):
    first = make_profile_schema(in_scope, title="First")
    second = make_profile_schema(in_scope, title="Second")
    change_schema(actor=ACTOR, schema=first, definition=own(in_scope, tier=TEXT))

    with pytest.raises(ChangeRefused) as refusal:
        change_schema(actor=ACTOR, schema=second, definition=own(in_scope, tier=NUMBER))

    assert rules(refusal) == [("union-conflict", f"{root(in_scope)}.tier")]


def test_a_field_with_a_descriptor_cannot_go(in_scope):
    schema = make_schema(in_scope, DEMOGRAPHIC, mail=TEXT)
    add_identity(schema, f"{root(in_scope)}.mail")

    with pytest.raises(ChangeRefused) as refusal:
        change_schema(actor=ACTOR, schema=schema, definition=own(in_scope, mail=None))

    assert rules(refusal) == [("described-field", f"{root(in_scope)}.mail")]


def test_a_schema_that_nothing_stands_on_can_be_deleted(in_scope):
    schema = make_schema(in_scope, CONTACT)
    add_identity(schema, "personalEmail.address")

    delete_schema(actor=ACTOR, schema=schema)

    assert stored(in_scope) == []


def test_a_schema_in_profile_is_for_good(in_scope):
    schema = make_profile_schema(in_scope)

    with pytest.raises(Conflict) as refusal:
        delete_schema(actor=ACTOR, schema=schema)

    assert refusal.value.code == "profile_enabled"
    assert len(stored(in_scope)) == 1


def test_a_schema_that_another_one_refers_to_stays(in_scope):
    loyalty = make_schema(in_scope, title="Loyalty", key=TEXT)
    add_identity(loyalty, f"{root(in_scope)}.key", "Phone")
    people = make_schema(in_scope, title="People", loyalty=TEXT)
    create_descriptor(
        actor=ACTOR,
        schema=people,
        kind=DescriptorKind.ONE_TO_ONE,
        paths=[f"{root(in_scope)}.loyalty"],
        destination=loyalty,
    )

    with pytest.raises(ResourceInUse) as refusal:
        delete_schema(actor=ACTOR, schema=loyalty)

    assert refusal.value.extra["dependents"] == [
        {"type": "schema", "id": people.pk, "name": "People"}
    ]
