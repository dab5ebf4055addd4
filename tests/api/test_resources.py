"""The resources of tenancy, as a client sees them."""

import pytest
from rest_framework.test import APIClient

from cdp.tenancy.models import AuditEvent, Organization, Role, Sandbox
from cdp.tenancy.scope import organization_scope
from cdp.tenancy.services.operators import create_operator
from tests.factories import ACTOR, api_client, make_credential, make_token

ROLES = "/api/v1/roles/"


def audit_of(organization):
    with organization_scope(organization, ACTOR):
        events = AuditEvent.objects.for_organization(organization).order_by("id")
        return list(events.values_list("action", "actor_kind"))


@pytest.fixture
def operator(db):
    """A client with an operator's credential."""
    _, credential, _ = create_operator(email="ops@example.com", password="long enough, truly")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(credential)}")
    return client


def test_an_operator_creates_an_organization_whose_administrator_may_everything(operator):
    answer = operator.post("/api/v1/organizations/", {"name": "Luma", "tenant_namespace": "luma"})

    made = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/v1/organizations/{made['id']}/"
    token = APIClient().post(
        "/oauth/token/",
        {
            "grant_type": "client_credentials",
            "client_id": made["administrator"]["client_id"],
            "client_secret": made["administrator"]["client_secret"],
        },
        format="multipart",
    )
    administrator = APIClient()
    administrator.credentials(HTTP_AUTHORIZATION=f"Bearer {token.json()['access_token']}")
    me = administrator.get("/api/v1/me/").json()
    known = administrator.get("/api/v1/permissions/").json()["results"]
    assert me["organization"]["tenant_namespace"] == "luma"
    assert me["sandbox"]["name"] == "prod"
    assert me["permissions"] == sorted(permission["name"] for permission in known)
    assert audit_of(Organization.objects.get()) == [
        ("organization.created", "credential"),
        ("sandbox.created", "credential"),
        ("credential.created", "credential"),
        ("role.created", "credential"),
    ]


def test_an_organization_of_a_taken_name_is_refused_whole(operator, organization):
    body = {"name": organization.name, "tenant_namespace": "another"}

    answer = operator.post("/api/v1/organizations/", body)

    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    assert Organization.objects.count() == 1
    assert Sandbox.objects.count() == 1


def test_organizations_are_the_operators_business(api):
    answers = [api.get("/api/v1/organizations/"), api.post("/api/v1/organizations/", {})]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(403, "operators_only")] * 2


def test_an_organization_renames_itself(api, organization):
    answer = api.patch("/api/v1/organization/", {"name": "Luma Inc."})

    assert (answer.status_code, answer.json()["name"]) == (200, "Luma Inc.")
    assert api.patch("/api/v1/organization/", {"tenant_namespace": "x"}).status_code == 422
    assert audit_of(organization)[-1] == ("organization.changed", "credential")


def test_sandboxes_are_created_and_changed_but_never_renamed(api):
    made = api.post("/api/v1/sandboxes/", {"name": "dev", "title": "Dev"})

    changed = api.patch(made["Location"], {"time_zone": "Europe/Berlin"})

    assert (made.status_code, made["Location"]) == (201, "/api/v1/sandboxes/dev/")
    assert changed.json()["time_zone"] == "Europe/Berlin"
    assert api.patch(made["Location"], {"name": "other"}).status_code == 409
    assert api.get(made["Location"]).json()["name"] == "dev"
    assert api.post("/api/v1/sandboxes/", {"name": "dev", "title": "Dev"}).status_code == 409


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"name": "Dev", "title": "x"}, ["name"]),
        ({"name": "dev\n", "title": "x", "time_zone": "Mars/Base"}, ["time_zone"]),
        ({"title": ""}, ["name", "title"]),
        ({"name": "dev", "title": "x", "kind": "toy"}, ["kind"]),
    ],
)
def test_a_sandbox_that_is_not_valid_is_refused(api, body, paths):
    answer = api.post("/api/v1/sandboxes/", body)

    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == paths
    assert Sandbox.objects.count() == 1


def test_a_role_names_only_what_is_there(api, organization, other_organization):
    stranger = make_credential(other_organization, [])
    body = {
        "name": "R",
        "permissions": ["view-segments", "view-everything"],
        "sandboxes": ["*", "nope"],
        "credentials": [stranger.pk],
    }

    answer = api.post(ROLES, body)

    assert [error["path"] for error in answer.json()["errors"]] == [
        "permissions.1",
        "sandboxes.1",
        "credentials.0",
    ]
    with organization_scope(organization, ACTOR):
        assert Role.objects.for_organization(organization).filter(name="R").count() == 0


def test_a_stale_change_is_refused_and_changes_nothing(api):
    made = api.post(ROLES, {"name": "R"})
    changed = api.patch(made["Location"], {"name": "R2"}, headers={"If-Match": made["ETag"]})

    stale = api.patch(made["Location"], {"name": "R3"}, headers={"If-Match": made["ETag"]})
    deleted = api.delete(made["Location"], headers={"If-Match": made["ETag"]})

    assert (stale.status_code, deleted.status_code) == (412, 412)
    now = api.get(made["Location"])
    assert (now.json()["name"], now["ETag"]) == ("R2", changed["ETag"])
    assert api.delete(made["Location"], headers={"If-Match": now["ETag"]}).status_code == 204


def test_deleting_a_credential_takes_it_out_of_its_roles(api, organization):
    credential = make_credential(organization, ["view-access"])

    answer = api.delete(f"/api/v1/credentials/{credential.pk}/")

    assert answer.status_code == 204
    with organization_scope(organization, ACTOR):
        role = Role.objects.for_organization(organization).get(name=f"Role of {credential.pk}")
    assert role.credentials == []


def test_the_audit_trail_tells_who_did_what_in_which_request(api, organization, sandbox):
    made = api.post(ROLES, {"name": "R"})
    changed = api.patch(made["Location"], {"name": "R2"})

    events = api.get("/api/v1/audit-events/?target_type=role&action=role.changed").json()["results"]

    assert [(e["before"], e["after"]) for e in events] == [({"name": "R"}, {"name": "R2"})]
    assert events[0]["request_id"] == changed["X-Request-Id"]
    assert events[0]["target_id"] == made.json()["id"]


def test_the_audit_trail_of_a_sandbox_hides_its_neighbours(api, organization, other_sandbox):
    api.patch(f"/api/v1/sandboxes/{other_sandbox.name}/", {"title": "New"})
    neighbour = api_client(organization, sandbox=other_sandbox.name)

    here = api.get("/api/v1/audit-events/").json()["results"]
    there = neighbour.get("/api/v1/audit-events/").json()["results"]

    assert "sandbox.changed" not in [event["action"] for event in here]
    assert there[0]["action"] == "role.created"
    assert "sandbox.changed" in [event["action"] for event in there]


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_costs_the_same_however_long(api, organization, django_assert_num_queries, count):
    for number in range(count):
        api.post(ROLES, {"name": f"R{number}"})

    with django_assert_num_queries(8):
        assert len(api.get("/api/v1/audit-events/?action=role.created").json()["results"]) > count


def test_a_path_may_come_without_its_last_slash_or_with_two(api):
    assert api.get("/api/v1/me").status_code == 200
    assert api.get("/api/v1//me//").status_code == 200
    assert api.post("/api/v1/roles", {"name": "R"}).status_code == 201
