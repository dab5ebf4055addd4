"""`schemas/`, `descriptors/` and `unions/` over HTTP."""

import json

import jsonschema
import pytest

from cdp.schemas.models import Schema
from cdp.schemas.registry.catalogue import EVENT_CLASS, PROFILE_CLASS
from cdp.tenancy.scope import scope
from tests.factories import api_client, sandbox_of
from tests.schemas.making import (
    ACTOR,
    CONTACT,
    DEMOGRAPHIC,
    TEXT,
    add_identity,
    make_event_schema,
    make_profile_schema,
    make_schema,
    own,
    root,
)
from tests.schemas.published import BROKEN, HOUSE, STREET

SCHEMAS = "/api/v1/schemas/"
DESCRIPTORS = "/api/v1/descriptors/"
UNIONS = "/api/v1/unions/"
PROFILE_ID = "_xdm.context.profile"


@pytest.fixture
def people(api, sandbox):
    """A schema of people as the API shows it."""
    body = {
        "title": "Customer attributes",
        "class_id": PROFILE_ID,
        "field_groups": ["_xdm.context.profile-person-details", CONTACT],
        "definition": own(sandbox, tier=TEXT),
    }
    answer = api.post(SCHEMAS, body)
    assert answer.status_code == 201
    return answer.json()


def path_of(schema):
    return f"{SCHEMAS}{schema['id']}/"


def test_a_schema_is_made_and_read_in_two_forms(api, people):
    assert people["class_id"] == PROFILE_CLASS
    assert people["field_groups"] == [DEMOGRAPHIC, CONTACT]
    assert (people["behavior"], people["version"], people["profile_enabled"]) == (
        "record",
        "1.1",
        False,
    )
    for key in (people["id"], people["alt_id"]):
        assert api.get(f"{SCHEMAS}{key}/").json() == people
    resolved = api.get(path_of(people), {"form": "resolved"}).json()["document"]
    assert "$ref" not in json.dumps(resolved)
    second = jsonschema.Draft202012Validator(resolved)
    assert second.is_valid({"person": {"name": {"firstName": "Ada"}}})
    assert not second.is_valid({"person": {"nmae": {}}})
    listed = api.get(SCHEMAS).json()["results"]
    assert [schema["id"] for schema in listed] == [people["id"]]
    assert "document" not in listed[0]


@pytest.mark.acceptance("A-28")
def test_fields_tell_type_requirement_labels_and_identity(api, people):
    assert (
        api.post(
            DESCRIPTORS,
            {
                "schema_id": people["id"],
                "kind": "identity",
                "paths": ["/personalEmail/address"],
                "namespace": "Email",
                "primary": True,
            },
        ).status_code
        == 201
    )
    label = {"kind": "label", "paths": ["personalEmail"], "labels": ["I1"]}
    assert api.post(DESCRIPTORS, {"schema_id": people["id"], **label}).status_code == 201

    fields = api.get(f"{path_of(people)}fields/", {"prefix": "personalEmail"}).json()["results"]

    assert fields[0]["path"] == "personalEmail"
    assert next(field for field in fields if field["path"] == "personalEmail.address") == {
        "path": "personalEmail.address",
        "type": "string",
        "xdm_type": "string",
        "format": "email",
        "array": False,
        "in_array": [],
        "required": False,
        "title": "Address",
        "description": "The address itself.",
        "enum": [],
        "suggested": [],
        "deprecated": False,
        "labels": ["I1"],
        "identity": {"namespace": "Email", "primary": True},
    }
    page = api.get(f"{path_of(people)}fields/", {"limit": 500}).json()
    assert page["next"] is None
    assert len({field["path"] for field in page["results"]}) == len(page["results"]) > 100


def test_a_sample_is_valid(api, people):
    sample = api.get(f"{path_of(people)}sample/").json()

    checked = api.post(f"{path_of(people)}validate/", sample)

    assert checked.json() == {"valid": True, "errors": []}


def test_a_record_is_checked_with_every_reason(api, people, sandbox):
    record = {"person": {"nmae": {"firstName": 1}}, root(sandbox): {"tier": 5}}

    checked = api.post(f"{path_of(people)}validate/", {"record": record}).json()

    assert checked["valid"] is False
    assert [(error["path"], error["code"]) for error in checked["errors"]] == [
        (f"{root(sandbox)}.tier", "wrong_type"),
        ("person.nmae", "unknown_field"),
    ]
    assert "Did you mean 'person.name'?" in checked["errors"][1]["detail"]


def test_patch_merges_and_history_tells(api, people, sandbox):
    changed = api.patch(
        path_of(people),
        {"description": "Who they are.", "definition": own(sandbox, tier=None, points=TEXT)},
    )

    assert changed.status_code == 200
    own_fields = changed.json()["document"]["properties"][root(sandbox)]["properties"]
    assert set(own_fields) == {"points"}
    history = api.get(f"{path_of(people)}history/").json()["results"]
    assert [version["version"] for version in history] == ["1.2", "1.1"]
    assert {change["action"] for change in history[0]["changes"]} == {"add", "remove"}


@pytest.mark.acceptance("A-29")
def test_profile_is_switched_on_once_and_for_all(api, people):
    refused = api.patch(path_of(people), {"profile_enabled": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "incompatible_change")
    assert refused.json()["errors"][0]["code"] == "primary-identity"
    identity = {"kind": "identity", "paths": ["personalEmail.address"], "namespace": "Email"}
    api.post(DESCRIPTORS, {"schema_id": people["id"], **identity, "primary": True})

    enabled = api.patch(path_of(people), {"profile_enabled": True})

    assert enabled.json()["profile_enabled"] is True
    for refused, code in (
        (api.patch(path_of(people), {"profile_enabled": False}), "profile_enabled"),
        (api.patch(path_of(people), {"field_groups": []}), "incompatible_change"),
        (api.delete(path_of(people)), "profile_enabled"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, code)


@pytest.mark.acceptance("A-26")
def test_a_group_of_another_class_is_refused(api):
    body = {
        "title": "Events",
        "class_id": EVENT_CLASS,
        "field_groups": ["_xdm.mixins.profile-consents"],
    }

    refused = api.post(SCHEMAS, body)

    assert refused.status_code == 422
    assert [error["code"] for error in refused.json()["errors"]] == ["field-group-fits-class"]
    assert api.get(SCHEMAS).json()["results"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"title": "A", "class_id": "_nothing"}, 404),
        ({"title": "A", "class_id": PROFILE_ID, "field_groups": ["nothing"]}, 404),
        ({"title": "A", "class_id": PROFILE_ID, "definition": []}, 422),
        ({"title": "A", "class_id": PROFILE_ID, "titel": "B"}, 422),
        ({"title": "x" * 256, "class_id": PROFILE_ID}, 422),
    ],
)
def test_bad_input_is_told_and_makes_nothing(api, sandbox, body, status):
    assert api.post(SCHEMAS, body).status_code == status
    with scope(sandbox, ACTOR):
        assert not Schema.objects.for_sandbox(sandbox).exists()


def test_lists_are_filtered(api, sandbox):
    with scope(sandbox, ACTOR):
        first = make_profile_schema(sandbox, title="First")
        make_event_schema(sandbox, title="Second")

    def found(**query):
        return [schema["title"] for schema in api.get(SCHEMAS, query).json()["results"]]

    assert found() == ["Second", "First"]
    assert found(class_id=PROFILE_ID) == ["First"]
    assert found(behavior="time-series") == ["Second"]
    assert found(profile_enabled="true") == ["First"]
    assert found(profile_enabled="false") == ["Second"]
    assert found(id=first.uri) == ["First"]
    assert found(ordering="title") == ["First", "Second"]
    assert api.get(SCHEMAS, {"id": "none"}).status_code == 404


def test_a_schema_travels_to_another_organization(api, people, other_organization):
    documents = api.get(f"{path_of(people)}export/").json()["documents"]
    other = api_client(other_organization)

    brought = other.post(f"{SCHEMAS}import/", {"documents": documents})

    assert brought.status_code == 201
    (made,) = brought.json()["created"]
    theirs = other.get(f"{SCHEMAS}{made['id']}/").json()
    assert root(sandbox_of(other_organization)) in theirs["document"]["properties"]
    again = other.post(f"{SCHEMAS}import/", {"documents": documents})
    assert again.status_code == 422
    assert {error["code"] for error in again.json()["errors"]} == {"id-clash"}


def test_published_files_come_in_with_a_report(api):
    brought = api.post(
        f"{SCHEMAS}import/", {"documents": [STREET, HOUSE, BROKEN], "partial": True}
    ).json()

    assert {row["uri"] for row in brought["created"]} == {HOUSE["$id"], STREET["$id"]}
    (failure,) = brought["failures"]
    assert failure["document"] == BROKEN["$id"]
    assert failure["errors"][0]["code"] == "unknown-reference"
    street = api.get("/api/v1/field-groups/", {"id": STREET["$id"]}).json()["results"][0]
    assert street["container"] == "imported"
    refused = api.patch(f"/api/v1/field-groups/{street['id']}/", {"title": "Mine"})
    assert (refused.status_code, refused.json()["code"]) == (403, "standard_resource")


def test_descriptors_are_listed_changed_and_deleted(api, people):
    body = {"schema_id": people["alt_id"], "kind": "label", "paths": ["homeAddress"]}
    made = api.post(DESCRIPTORS, {**body, "labels": ["S2"]}).json()
    assert made["settings"] == {"labels": ["S2"]}
    path = f"{DESCRIPTORS}{made['id']}/"

    changed = api.patch(path, {"labels": ["S1", "C4"]})

    assert changed.json()["settings"] == {"labels": ["S1", "C4"]}
    assert api.get(path).json() == changed.json()
    listed = api.get(DESCRIPTORS, {"schema_id": people["id"], "kind": "label"}).json()["results"]
    assert [descriptor["id"] for descriptor in listed] == [made["id"]]
    refused = api.patch(path, {"namespace": "Email"})
    assert refused.json()["errors"][0]["code"] == "unknown-setting"
    assert api.delete(path).status_code == 204
    assert api.get(f"{path_of(people)}").json()["version"] == "1.4"


def test_a_mistyped_path_is_answered_with_the_one_that_was_meant(api, people):
    body = {"schema_id": people["id"], "kind": "identity", "namespace": "Email"}

    refused = api.post(DESCRIPTORS, {**body, "paths": ["personalEmail.adress"]}).json()

    assert refused["errors"][0]["code"] == "unknown-path"
    assert "Did you mean 'personalEmail.address'?" in refused["detail"]


def test_a_union_is_the_vocabulary_of_its_schemas(api, sandbox):
    assert api.get(UNIONS).json()["results"] == []
    assert api.get(f"{UNIONS}{PROFILE_ID}/").status_code == 404
    with scope(sandbox, ACTOR):
        first = make_profile_schema(sandbox, title="First")
        second = make_schema(sandbox, DEMOGRAPHIC, title="Second", mail=TEXT)
        add_identity(second, f"{root(sandbox)}.mail")
    enabled = api.patch(f"{SCHEMAS}{second.pk}/", {"profile_enabled": True})
    assert enabled.status_code == 200

    (union,) = api.get(UNIONS).json()["results"]

    assert (union["id"], union["class_id"]) == (PROFILE_ID, PROFILE_CLASS)
    assert set(union["schemas"]) == {first.pk, second.pk}
    whole = api.get(f"{UNIONS}{PROFILE_ID}/").json()["document"]
    assert {"person", "homeAddress", root(sandbox)} <= set(whole["properties"])
    assert "required" not in json.dumps(whole)
    fields = api.get(f"{UNIONS}{PROFILE_ID}/fields/", {"limit": 500}).json()["results"]
    assert {"person.name", "identityMap", "segmentMembership", f"{root(sandbox)}.mail"} <= {
        field["path"] for field in fields
    }


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_costs_the_same_however_many_schemas(
    api, sandbox, count, django_assert_max_num_queries
):
    with scope(sandbox, ACTOR):
        for number in range(count):
            make_schema(sandbox, title=f"Schema {number}")

    with django_assert_max_num_queries(12):
        assert len(api.get(SCHEMAS).json()["results"]) == count
