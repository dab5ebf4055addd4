"""`behaviors/`, `classes/`, `field-groups/` and `data-types/` over HTTP."""

import pytest

from cdp.schemas.models import Component
from cdp.schemas.registry.catalogue import PROFILE_CLASS, standard_resources
from cdp.schemas.registry.resources import Kind
from cdp.tenancy.scope import scope
from tests.factories import api_client
from tests.schemas.making import ACTOR, CONSENTS, DEMOGRAPHIC, TEXT, make_group, own, root

GROUPS = "/api/v1/field-groups/"
PROFILE_ID = "_xdm.context.profile"


@pytest.mark.acceptance("A-12")
@pytest.mark.parametrize(
    ("route", "kind", "example"),
    [
        ("behaviors", Kind.BEHAVIOR, "_xdm.data.record"),
        ("classes", Kind.CLASS, PROFILE_ID),
        ("field-groups", Kind.FIELD_GROUP, "_xdm.mixins.profile-consents"),
        ("data-types", Kind.DATA_TYPE, "_xdm.common.address"),
    ],
)
def test_standard_resources_can_be_listed_and_read_and_not_edited(api, route, kind, example):
    listed = api.get(f"/api/v1/{route}/?limit=500").json()["results"]
    read = api.get(f"/api/v1/{route}/{example}/")

    standard = [r for r in standard_resources().values() if r.kind is kind]
    assert {entry["uri"] for entry in listed} == {resource.uri for resource in standard}
    assert {entry["container"] for entry in listed} == {"standard"}
    assert read.status_code == 200
    assert read.json()["document"]["$id"] == read.json()["uri"]
    if kind is Kind.BEHAVIOR:
        assert api.patch(f"/api/v1/{route}/{example}/", {}).status_code == 405
        return
    for refused in (
        api.patch(f"/api/v1/{route}/{example}/", {"title": "Mine"}),
        api.delete(f"/api/v1/{route}/{example}/"),
    ):
        assert refused.status_code == 403
        assert refused.json()["code"] == "standard_resource"
        assert "read-only" in refused.json()["detail"]


@pytest.mark.acceptance("A-13")
def test_a_field_group_is_made_read_changed_and_deleted(api, sandbox):
    body = {
        "title": "Loyalty",
        "description": "What a guest has collected.",
        "classes": [PROFILE_ID],
        "definition": own(sandbox, tier=TEXT),
    }

    made = api.post(GROUPS, body)

    assert made.status_code == 201
    group = made.json()
    assert made.headers["Location"] == f"{GROUPS}{group['id']}/"
    assert group["id"].startswith("fg_")
    assert (group["container"], group["version"]) == ("own", "1.1")
    assert group["classes"] == [PROFILE_CLASS]
    assert group["document"]["properties"] == body["definition"]["properties"]
    for key in (group["id"], group["alt_id"]):
        assert api.get(f"{GROUPS}{key}/").json() == group
    assert api.get(GROUPS, {"id": group["uri"]}).json()["results"][0]["id"] == group["id"]
    changed = api.patch(
        f"{GROUPS}{group['id']}/",
        {"definition": own(sandbox, points={"type": "integer"})},
        HTTP_IF_MATCH=made.headers["ETag"],
    )
    assert changed.status_code == 200
    assert changed.json()["version"] == "1.2"
    assert set(changed.json()["document"]["properties"][root(sandbox)]["properties"]) == {
        "tier",
        "points",
    }
    history = api.get(f"{GROUPS}{group['id']}/history/").json()["results"]
    assert [version["version"] for version in history] == ["1.2", "1.1"]
    assert history[0]["changes"][0]["path"].endswith("/points")
    stale = api.patch(
        f"{GROUPS}{group['id']}/", {"title": "Late"}, HTTP_IF_MATCH=made.headers["ETag"]
    )
    assert stale.status_code == 412
    assert api.delete(f"{GROUPS}{group['id']}/").status_code == 204
    assert api.get(f"{GROUPS}{group['id']}/").status_code == 404


def test_a_class_extends_a_behavior_by_its_name(api, sandbox):
    made = api.post("/api/v1/classes/", {"title": "Ship", "extends": "record"})
    other = api.post("/api/v1/classes/", {"title": "Boat", "extends": made.json()["id"]})

    assert made.json()["extends"] == ["https://ns.adobe.com/xdm/data/record"]
    assert other.json()["extends"] == [made.json()["uri"]]
    missing = api.post("/api/v1/classes/", {"title": "Raft", "extends": "wood"})
    assert missing.status_code == 404


def test_a_refusal_names_every_rule_and_changes_nothing(api, sandbox):
    definition = {"properties": {"tier": TEXT, "points": {"type": "whole"}}}

    refused = api.post(GROUPS, {"title": "Bad", "definition": definition})

    assert refused.status_code == 422
    problem = refused.json()
    assert problem["code"] == "definition_refused"
    assert [error["code"] for error in problem["errors"]] == ["malformed"]
    definition["properties"]["points"] = {"type": "integer"}
    problem = api.post(GROUPS, {"title": "Bad", "definition": definition}).json()
    assert [(error["code"], error["path"]) for error in problem["errors"]] == [
        ("tenant-namespace", "tier"),
        ("tenant-namespace", "points"),
    ]
    with scope(sandbox, ACTOR):
        assert not Component.objects.for_sandbox(sandbox).exists()


def test_lists_are_filtered(api, sandbox):
    with scope(sandbox, ACTOR):
        group = make_group(sandbox, PROFILE_CLASS, title="Loyalty of guests")

    def found(**query):
        return [entry["title"] for entry in api.get(GROUPS, query).json()["results"]]

    assert found(container="own") == ["Loyalty of guests"]
    assert found(title="loyalty", class_id=PROFILE_ID) == ["Loyalty Details", "Loyalty of guests"]
    assert found(id=DEMOGRAPHIC) == ["Demographic Details"]
    assert "Consents and Preferences" not in found(
        class_id="_xdm.context.experienceevent", limit=500
    )
    assert api.get(GROUPS, {"tilte": "x"}).status_code == 422
    assert api.get(GROUPS, {"ordering": "title"}).status_code == 422
    assert group.title in found(limit=500)


def test_pages_go_forth_and_back(api, sandbox):
    with scope(sandbox, ACTOR):
        for number in range(3):
            make_group(sandbox, title=f"Group {number}")
    standard = sum(r.kind is Kind.FIELD_GROUP for r in standard_resources().values())
    first = api.get(GROUPS, {"limit": standard + 1}).json()

    second = api.get(first["next"]).json()
    back = api.get(second["previous"]).json()

    assert [entry["title"] for entry in first["results"][-2:]] == [
        "Work Contact Details",
        "Group 2",
    ]
    assert [entry["title"] for entry in second["results"]] == ["Group 1", "Group 0"]
    assert back["results"] == first["results"]
    assert first["previous"] is second["next"] is None


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_costs_the_same_however_much_there_is(
    api, sandbox, count, django_assert_max_num_queries
):
    with scope(sandbox, ACTOR):
        for number in range(count):
            make_group(sandbox, title=f"Group {number}")

    with django_assert_max_num_queries(12):
        assert api.get(GROUPS).status_code == 200


def test_reading_and_managing_are_two_permissions(organization):
    reader = api_client(organization, permissions=["view-schemas"])
    nobody = api_client(organization, permissions=["view-datasets"])

    assert reader.get(GROUPS).status_code == 200
    refused = reader.post(GROUPS, {"title": "Mine"})
    assert (refused.status_code, refused.json()["permission"]) == (403, "manage-schemas")
    assert nobody.get(GROUPS).json()["permission"] == "view-schemas"
    assert CONSENTS in {r["uri"] for r in reader.get(GROUPS, {"limit": 500}).json()["results"]}
