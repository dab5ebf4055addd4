"""Schemas travel between organizations, and come from the public repository."""

import json

import pytest
from django.core.management import CommandError, call_command

from cdp.schemas.errors import DefinitionRefused
from cdp.schemas.models import Component, Descriptor, ResourceVersion, Schema
from cdp.schemas.registry.descriptors import DescriptorKind
from cdp.schemas.registry.exchange import PLACEHOLDER
from cdp.schemas.registry.resources import Kind
from cdp.schemas.selectors import compiled_schema
from cdp.schemas.services.components import change_component, create_component
from cdp.schemas.services.descriptors import create_descriptor
from cdp.schemas.services.exporting import export_schema
from cdp.schemas.services.importing import import_documents
from cdp.schemas.services.sandboxes import copy_schemas, count_schemas, forget_schemas
from cdp.tenancy.models import AuditEvent
from cdp.tenancy.scope import scope
from tests.factories import sandbox_of
from tests.schemas.making import (
    ACTOR,
    CONTACT,
    TEXT,
    add_identity,
    make_group,
    make_schema,
    root,
)
from tests.schemas.published import BROKEN, HOUSE, NS, ON_BROKEN, SOUND, STREET, named


def bring(sandbox, documents, *, partial=False):
    numbered = [(f"documents[{n}]", document) for n, document in enumerate(documents)]
    return import_documents(actor=ACTOR, sandbox=sandbox, documents=numbered, partial=partial)


def rich_schema(sandbox):
    """A schema on a group on a data type, with an identity, a label and a reference."""
    size = create_component(
        actor=ACTOR,
        sandbox=sandbox,
        kind=Kind.DATA_TYPE,
        title="Size",
        definition={"properties": {"cm": {"type": "number"}}},
    )
    group = make_group(sandbox, title="Body", size={"$ref": size.uri}, shop=TEXT)
    schema = make_schema(sandbox, CONTACT, group.uri, tier=TEXT)
    shops = make_schema(sandbox, title="Shops", number=TEXT)
    add_identity(shops, f"{root(sandbox)}.number", "Phone")
    add_identity(schema, "personalEmail.address")
    for kind, path, settings in (
        (DescriptorKind.LABEL, f"{root(sandbox)}.tier", {"labels": ["C4"]}),
        (DescriptorKind.ONE_TO_ONE, f"{root(sandbox)}.shop", {"destination": shops}),
    ):
        create_descriptor(actor=ACTOR, schema=schema, kind=kind, paths=[path], **settings)
    return schema


@pytest.mark.django_db
def test_an_export_comes_to_life_under_another_name(sandbox, other_organization):
    other = sandbox_of(other_organization)
    with scope(sandbox, ACTOR):
        schema = rich_schema(sandbox)
        documents = export_schema(schema)
        ours = compiled_schema(sandbox, schema.pk)
    assert sandbox.organization.tenant_namespace not in json.dumps(documents)
    assert PLACEHOLDER in json.dumps(documents)

    with scope(other, ACTOR):
        report = bring(other, documents)
        made = Schema.objects.for_sandbox(other).get(title="People")
        theirs = compiled_schema(other, made.pk)

    assert {row.title for row in report.created} == {"Size", "Body", "Shops", "People"}
    assert report.descriptors == 4
    assert {path.replace(root(other), root(sandbox)) for path in theirs.fields} == set(ours.fields)
    assert theirs.fields[f"{root(other)}.tier"].labels == {"C4"}
    assert theirs.identities == ours.identities
    assert theirs.validate({root(other): {"tier": "gold", "size": {"cm": 3.0}}}) == []
    with scope(other, ACTOR):
        size = Component.objects.for_sandbox(other).get(title="Size")
        assert not size.imported
        change_component(actor=ACTOR, component=size, description="Ours now")
        assert export_schema(made)[:2] != []


def test_an_export_that_is_here_already_is_refused_whole(in_scope):
    documents = export_schema(rich_schema(in_scope))
    before = count_schemas(in_scope)

    with pytest.raises(DefinitionRefused) as refusal:
        bring(in_scope, [*documents, HOUSE])

    assert {error["code"] for error in refusal.value.errors} == {"id-clash"}
    assert count_schemas(in_scope) == before


def test_a_title_that_is_taken_is_refused(in_scope):
    document = {
        "$id": f"{NS}{PLACEHOLDER}/datatypes/one",
        "title": "Size",
        "type": "object",
        "properties": {"cm": TEXT},
    }
    bring(in_scope, [document])

    with pytest.raises(DefinitionRefused) as refusal:
        bring(in_scope, [{**document, "$id": f"{NS}{PLACEHOLDER}/datatypes/two"}])

    assert [error["code"] for error in refusal.value.errors] == ["title-clash"]
    assert Component.objects.for_sandbox(in_scope).count() == 1


def test_ones_own_resources_are_held_to_the_rules_for_ones_own(in_scope):
    document = {
        "$id": f"{NS}{PLACEHOLDER}/mixins/one",
        "title": "Outside",
        "type": "object",
        "meta:intendedToExtend": [],
        "properties": {"tier": TEXT},
    }

    with pytest.raises(DefinitionRefused) as refusal:
        bring(in_scope, [document])

    assert [error["code"] for error in refusal.value.errors] == ["tenant-namespace"]


def test_published_files_come_in_as_standards(in_scope):
    report = import_documents(actor=ACTOR, sandbox=in_scope, documents=named(*SOUND))

    assert len(report.created) == 4
    assert all(row.imported for row in Component.objects.for_sandbox(in_scope))
    schema = make_schema(in_scope, STREET["$id"])
    compiled = compiled_schema(in_scope, schema.pk)
    house = {"_id": "h1", "_schema": {"latitude": 52.5}, "rooms": 3, "colour": "red"}
    assert compiled.validate({"houses": [house]}) == []
    assert compiled.fields["houses.rooms"].in_array == ("houses",)
    assert ResourceVersion.objects.for_sandbox(in_scope).count() == 5
    event = AuditEvent.objects.for_organization(in_scope.organization).get(
        action="schemas.imported"
    )
    assert len(event.after["created"]) == 4


def test_everything_comes_in_or_nothing_unless_a_part_is_enough(in_scope):
    with pytest.raises(DefinitionRefused) as refusal:
        bring(in_scope, [BROKEN, ON_BROKEN, HOUSE])
    assert len(refusal.value.errors) == 2
    assert count_schemas(in_scope)["components"] == 0

    report = bring(in_scope, [BROKEN, ON_BROKEN, HOUSE], partial=True)

    assert [row.uri for row in report.created] == [HOUSE["$id"]]
    assert set(report.failures) == {"documents[0]", "documents[1]"}
    again = bring(in_scope, [HOUSE], partial=True)
    assert (again.created, again.known) == ([], [HOUSE["$id"]])


def test_a_descriptor_without_its_schema_is_refused(in_scope):
    lonely = {
        "@type": "xdm:descriptorIdentity",
        "xdm:sourceSchema": f"{NS}x",
        "xdm:sourceProperty": "/a",
    }

    report = bring(in_scope, [lonely, {"@type": "xdm:descriptorLabel"}], partial=True)

    assert {name: problems[0].rule for name, problems in report.failures.items()} == {
        "documents[0]": "unknown-reference",
        "documents[1]": "malformed",
    }


@pytest.mark.django_db
def test_the_command_reads_a_folder(sandbox, tmp_path, capsys):
    for name, document in named(*SOUND, BROKEN):
        (tmp_path / name).write_text(json.dumps(document))
    (tmp_path / "example.json").write_text('{"xdm:rooms": 3}')
    (tmp_path / "torn.json").write_text("{")
    tenant = sandbox.organization.tenant_namespace

    call_command("import_xdm", str(tmp_path), organization=tenant)

    out, err = capsys.readouterr()
    assert out == "4 brought in, 1 known already, 1 refused\n"
    assert "broken.json: unknown-reference at a:" in err
    assert "torn.json: not JSON" in err
    with scope(sandbox, ACTOR):
        assert Component.objects.for_sandbox(sandbox).count() == 4
    for options in ({"organization": "nobody"}, {"organization": tenant, "sandbox": "none"}):
        with pytest.raises(CommandError, match="no sandbox"):
            call_command("import_xdm", str(tmp_path), **options)
    with pytest.raises(CommandError, match="no folder"):
        call_command("import_xdm", str(tmp_path / "none"), organization=tenant)


@pytest.mark.django_db
def test_a_sandbox_is_copied_and_forgotten(sandbox, other_sandbox):
    with scope(sandbox, ACTOR):
        schema = rich_schema(sandbox)
        ours = compiled_schema(sandbox, schema.pk)
        counted = count_schemas(sandbox)

    copy_schemas(sandbox, other_sandbox)
    with scope(other_sandbox, ACTOR):  # what is there already stays, what is gone comes back
        Schema.objects.for_sandbox(other_sandbox).get(uri=schema.uri).delete()
    copy_schemas(sandbox, other_sandbox)

    with scope(other_sandbox, ACTOR):
        assert count_schemas(other_sandbox) == counted
        copied = Schema.objects.for_sandbox(other_sandbox).get(uri=schema.uri)
        theirs = compiled_schema(other_sandbox, copied.pk)
        assert (theirs.fields, theirs.identities) == (ours.fields, ours.identities)
        reference = Descriptor.objects.for_sandbox(other_sandbox).get(kind="one-to-one")
        assert reference.destination.sandbox_id == other_sandbox.pk
        assert reference.settings == {"destination_schema": reference.destination_id}
        forget_schemas(other_sandbox)
        assert set(count_schemas(other_sandbox).values()) == {0}
    with scope(sandbox, ACTOR):
        assert count_schemas(sandbox) == counted
