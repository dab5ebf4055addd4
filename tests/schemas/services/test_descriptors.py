"""What can be said of fields, and what cannot."""

import pytest

from cdp.errors import Invalid
from cdp.schemas import registries
from cdp.schemas.errors import ChangeRefused, DefinitionRefused
from cdp.schemas.models import Descriptor
from cdp.schemas.registry.catalogue import EVENT_CLASS
from cdp.schemas.registry.descriptors import DescriptorKind
from cdp.schemas.registry.validation import IdentityDescriptor
from cdp.schemas.selectors import compiled_schema, union_fields
from cdp.schemas.services.descriptors import (
    change_descriptor,
    create_descriptor,
    delete_descriptor,
)
from cdp.schemas.services.schemas import change_schema, enable_for_profile
from tests.schemas.making import (
    ACTOR,
    CONSUMER,
    CONTACT,
    DEMOGRAPHIC,
    NS,
    TEXT,
    add_identity,
    make_event_schema,
    make_profile_schema,
    make_schema,
    root,
)

K = DescriptorKind


def say(schema, kind, *paths, **settings):
    return create_descriptor(actor=ACTOR, schema=schema, kind=kind, paths=paths, **settings)


def rules(refusal):
    return [(error["code"], error["path"]) for error in refusal.value.errors]


def test_identities_reach_the_compiled_schema_primary_first(in_scope):
    schema = make_schema(in_scope, CONTACT)

    say(schema, K.IDENTITY, "/mobilePhone/number", namespace="Phone")
    say(schema, K.IDENTITY, "personalEmail.address", namespace="Email", primary=True)

    compiled = compiled_schema(in_scope, schema.pk)
    assert compiled.identities == (
        IdentityDescriptor("personalEmail.address", "Email", primary=True),
        IdentityDescriptor("mobilePhone.number", "Phone", primary=False),
    )
    assert compiled.fields["personalEmail.address"].namespace == "Email"
    assert compiled.version == "1.3"


@pytest.mark.acceptance("A-44")
def test_labels_reach_fields_and_everything_below_them(in_scope):
    schema = make_profile_schema(in_scope)

    say(schema, K.LABEL, "personalEmail.address", labels=["I1"])
    say(schema, K.LABEL, "homeAddress", labels=["S2", "C4"])

    fields = compiled_schema(in_scope, schema.pk).fields
    assert fields["personalEmail.address"].labels == {"I1"}
    assert fields["homeAddress._schema.latitude"].labels == {"S2", "C4"}
    assert fields["mailingAddress.city"].labels == frozenset()
    assert union_fields(in_scope, schema.class_uri)["homeAddress.city"].labels == {"S2", "C4"}


def test_a_label_must_be_one_of_the_sandbox(in_scope):
    schema = make_schema(in_scope, CONTACT)

    with pytest.raises(Invalid) as refusal:
        say(schema, K.LABEL, "personalEmail.address", labels=["I9"])

    assert refusal.value.errors[0]["path"] == "labels"
    assert not Descriptor.objects.for_sandbox(in_scope).exists()


@pytest.mark.parametrize(
    ("kind", "paths", "settings", "rule"),
    [
        (K.IDENTITY, ["personalEmail.adress"], {"namespace": "Email"}, "unknown-path"),
        (K.IDENTITY, ["personalEmail"], {"namespace": "Email"}, "text-field"),
        (K.IDENTITY, ["homeAddress.dmaID"], {"namespace": "Area"}, "text-field"),
        (K.IDENTITY, ["ROOT.tags"], {"namespace": "Tag"}, "text-field"),
        (K.IDENTITY, ["ROOT.rows.id"], {"namespace": "Row"}, "not-in-list"),
        (K.IDENTITY, ["ROOT.map.*"], {"namespace": "Row"}, "not-in-list"),
        (K.IDENTITY, ["personalEmail.address"], {}, "namespace"),
        (K.IDENTITY, ["personalEmail.address"], {"namespace": "E", "primary": "yes"}, "primary"),
        (K.IDENTITY, ["personalEmail.address"], {"namespace": "E", "x": 1}, "unknown-setting"),
        (K.LABEL, ["personalEmail.address"], {}, "labels"),
        (K.LABEL, ["ROOT"], {"labels": ["I1"]}, "label-a-leaf"),
        (K.PRIMARY_KEY, ["ROOT.rows"], {}, "key-field"),
        (K.VERSION, ["ROOT.size"], {}, "required-field"),
        (K.VERSION, ["ROOT.rows"], {}, "ordered-field"),
        (K.TIMESTAMP, ["ROOT.size"], {}, "moment-field"),
        (K.TIMESTAMP, ["ROOT.at"], {}, "required-field"),
        (K.GRANULARITY, ["ROOT.at"], {"granularity": "day"}, "summary-metrics-only"),
        (K.ONE_TO_ONE, ["ROOT.size"], {}, "text-field"),
        (K.ONE_TO_ONE, ["personalEmail.address"], {}, "destination"),
        (K.RELATIONSHIP, ["personalEmail.address"], {"cardinality": "9:9"}, "cardinality"),
        (K.RELATIONSHIP, ["ROOT.size"], {}, "text-field"),
        (K.RELATIONSHIP, ["ROOT.map.*"], {}, "text-field"),
        (K.REFERENCE_IDENTITY, ["personalEmail.address"], {}, "namespace"),
        (K.ALTERNATE_DISPLAY, ["personalEmail.address"], {}, "display"),
        (K.ALTERNATE_DISPLAY, ["personalEmail.address"], {"title": {"en": 1}}, "display"),
        (K.DEPRECATED, ["personalEmail.address", "homeAddress"], {}, "one-path"),
        (K.DEPRECATED, ["ROOT.must"], {}, "required-field"),
    ],
)
def test_what_cannot_be_said_is_refused_by_its_rule(in_scope, kind, paths, settings, rule):
    rows = {"type": "array", "items": {"type": "object", "properties": {"id": TEXT}}}
    schema = make_schema(
        in_scope,
        CONTACT,
        size={"type": "number"},
        at={"type": "string", "format": "date-time"},
        tags={"type": "array", "items": TEXT},
        rows=rows,
        map={"type": "object", "additionalProperties": TEXT},
        must=TEXT,
    )
    required = {"properties": {root(in_scope): {"required": ["must"]}}}
    change_schema(actor=ACTOR, schema=schema, definition=required)

    with pytest.raises(DefinitionRefused) as refusal:
        say(schema, kind, *(path.replace("ROOT", root(in_scope)) for path in paths), **settings)

    assert rule in [name for name, _ in rules(refusal)]
    assert not Descriptor.objects.for_sandbox(in_scope).exists()


def test_a_mistyped_path_is_answered_with_the_one_that_was_meant(in_scope):
    schema = make_schema(in_scope, CONTACT)

    with pytest.raises(DefinitionRefused, match=r"Did you mean 'personalEmail\.address'\?"):
        say(schema, K.IDENTITY, "personalEmail.adress", namespace="Email")


def test_a_schema_has_one_primary_identity(in_scope):
    schema = make_schema(in_scope, CONTACT)
    add_identity(schema, "personalEmail.address")

    with pytest.raises(DefinitionRefused) as refusal:
        add_identity(schema, "mobilePhone.number", "Phone")

    assert rules(refusal) == [("one-primary-identity", "mobilePhone.number")]


def test_the_same_is_not_said_twice(in_scope):
    schema = make_schema(in_scope, CONTACT)
    say(schema, K.LABEL, "homeAddress", labels=["S2"])

    with pytest.raises(DefinitionRefused) as refusal:
        say(schema, K.LABEL, "homeAddress", labels=["S1"])

    assert rules(refusal) == [("said-already", "homeAddress")]


def test_profile_holds_its_primary_identity_fast(in_scope):
    schema = make_schema(in_scope, CONTACT)
    primary = add_identity(schema, "personalEmail.address")
    second = add_identity(schema, "mobilePhone.number", "Phone", primary=False)
    enable_for_profile(actor=ACTOR, schema=schema)

    for change in (
        lambda: delete_descriptor(actor=ACTOR, descriptor=primary),
        lambda: change_descriptor(actor=ACTOR, descriptor=primary, namespace="ECID"),
        lambda: change_descriptor(actor=ACTOR, descriptor=primary, primary=False),
    ):
        primary.refresh_from_db()
        with pytest.raises(ChangeRefused) as refusal:
            change()
        assert rules(refusal) == [("primary-identity-fixed", "personalEmail.address")]
    delete_descriptor(actor=ACTOR, descriptor=second)

    assert len(compiled_schema(in_scope, schema.pk).identities) == 1


def test_a_namespace_must_be_known_where_somebody_knows_namespaces(in_scope, monkeypatch):
    schema = make_schema(in_scope, CONTACT)
    known = {"tests": lambda sandbox: {"Email", "Phone"}}
    monkeypatch.setattr(registries.identity_namespaces, "_entries", known)

    with pytest.raises(DefinitionRefused, match="Did you mean 'Email'"):
        add_identity(schema, "personalEmail.address", "email")

    assert add_identity(schema, "personalEmail.address", "Email").pk


def test_a_reference_leads_to_the_key_of_a_record_schema(in_scope):
    products = make_schema(in_scope, title="Products", sku=TEXT, other=TEXT)
    events = make_event_schema(in_scope, CONSUMER)
    people = make_schema(in_scope, title="People", favourite=TEXT)
    path = f"{root(in_scope)}.favourite"

    with pytest.raises(DefinitionRefused) as refusal:
        say(people, K.ONE_TO_ONE, path, destination=products)
    assert rules(refusal) == [("destination-key", "")]
    with pytest.raises(DefinitionRefused) as refusal:
        say(people, K.ONE_TO_ONE, path, destination=events)
    assert ("destination", "") in rules(refusal)
    add_identity(products, f"{root(in_scope)}.sku", "Phone")
    with pytest.raises(DefinitionRefused) as refusal:
        say(
            people,
            K.ONE_TO_ONE,
            path,
            destination=products,
            destination_path=f"{root(in_scope)}.other",
        )
    assert rules(refusal) == [("destination-key", "")]

    made = say(people, K.ONE_TO_ONE, path, destination=products)

    assert made.settings == {"destination_schema": products.pk}


def test_keys_versions_and_times_of_relational_data(in_scope):
    schema = make_event_schema(in_scope, sku=TEXT)

    with pytest.raises(DefinitionRefused) as refusal:
        say(schema, K.PRIMARY_KEY, f"{root(in_scope)}.sku")
    assert rules(refusal) == [("key-with-time", "")]
    say(schema, K.PRIMARY_KEY, f"{root(in_scope)}.sku", "timestamp")
    say(schema, K.TIMESTAMP, "timestamp")
    say(schema, K.VERSION, "_id")

    assert Descriptor.objects.for_sandbox(in_scope).count() == 3


def test_granularity_belongs_to_summary_metrics(in_scope):
    schema = make_schema(in_scope, class_uri=f"{NS}xdm/classes/summarymetrics")

    with pytest.raises(DefinitionRefused) as refusal:
        say(schema, K.GRANULARITY, "timestamp", granularity="decade")
    assert rules(refusal) == [("granularity", "")]
    say(schema, K.GRANULARITY, "timestamp", granularity="day", time_zone="Europe/Berlin")


def test_other_names_and_deprecation_reach_the_fields(in_scope):
    schema = make_schema(in_scope, DEMOGRAPHIC)

    say(schema, K.ALTERNATE_DISPLAY, "person.name", title={"de": "Name", "en": "Who"})
    say(schema, K.DEPRECATED, "person.taxId")

    fields = compiled_schema(in_scope, schema.pk).fields
    assert fields["person.name"].title == "Who"
    assert fields["person.taxId"].deprecated
    assert not fields["person.gender"].deprecated


def test_descriptors_change_nothing_about_which_records_are_valid(in_scope):
    schema = make_event_schema(in_scope)
    before = compiled_schema(in_scope, schema.pk).resolved

    say(schema, K.DEPRECATED, "eventMergeId")

    assert compiled_schema(in_scope, schema.pk).resolved == before
    assert schema.class_uri == EVENT_CLASS
