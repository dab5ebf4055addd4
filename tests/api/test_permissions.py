"""Who may do what: every route asks for the permission that it names, and for no other."""

import pytest

from cdp.api.permissions import ANY_CALLER, OPERATOR
from cdp.tenancy.models import Role
from cdp.tenancy.permissions import ALL
from cdp.tenancy.scope import organization_scope
from tests.factories import ACTOR, api_client
from tests.routes import Operation, operations

GUARDED = [
    operation
    for operation in operations()
    if operation.permission not in {"", ANY_CALLER, OPERATOR}
]
WANTED = sorted({operation.permission for operation in GUARDED})
# One call for each area of work that a role can open.
AREAS = {
    "schemas": ("view-schemas", "/api/v1/schemas/"),
    "datasets": ("view-datasets", "/api/v1/datasets/"),
    "profiles": ("view-profiles", "/api/v1/merge-policies/"),
    "audiences": ("view-segments", "/api/v1/segments/"),
    "destinations": ("view-destinations", "/api/v1/destination-connections/"),
}


def call(api, operation: Operation):
    return api.generic(
        operation.method, operation.path("nonsense"), b"{}", content_type="application/json"
    )


@pytest.mark.parametrize("permission", WANTED)
def test_without_its_permission_a_route_refuses_and_names_it(organization, permission):
    api = api_client(organization, permissions=sorted(ALL - {permission}))

    answers = {str(operation): call(api, operation) for operation in asking_for(permission)}

    assert {route: answer.status_code for route, answer in answers.items()} == dict.fromkeys(
        answers, 403
    )
    for answer in answers.values():
        assert answer.json()["code"] == "permission_missing"
        assert answer.json()["permission"] == permission
        assert f"'{permission}'" in answer.json()["detail"]


@pytest.mark.clickhouse
@pytest.mark.parametrize("permission", WANTED)
def test_with_its_permission_alone_a_route_lets_in(organization, permission):
    api = api_client(organization, permissions=[permission])

    answers = {
        str(operation): call(api, operation).status_code for operation in asking_for(permission)
    }

    assert {route: code for route, code in answers.items() if code in {401, 403, 500, 503}} == {}


def asking_for(permission):
    return [operation for operation in GUARDED if operation.permission == permission]


@pytest.mark.acceptance("A-01")
@pytest.mark.acceptance("A-02")
@pytest.mark.parametrize("area", AREAS)
def test_an_administrator_grants_what_was_missing_and_the_same_call_succeeds(
    organization, api, area
):
    permission, url = AREAS[area]
    others = sorted(wanted for wanted, _ in AREAS.values() if wanted != permission)
    user = api_client(organization, permissions=others)
    me = user.get("/api/v1/me/").json()
    with organization_scope(organization, ACTOR):
        role = Role.objects.for_organization(organization).get(credentials=[me["id"]])

    refused = user.get(url)
    granted = api.patch(f"/api/v1/roles/{role.pk}/", {"permissions": [*others, permission]})
    allowed = user.get(url)

    assert me["permissions"] == others
    assert (refused.status_code, refused.json()["permission"]) == (403, permission)
    assert granted.status_code == 200
    assert allowed.status_code == 200


def test_a_permission_holds_only_in_the_sandboxes_of_its_role(organization, other_sandbox):
    from rest_framework.test import APIClient

    from tests.factories import make_credential, make_token

    credential = make_credential(organization, ["view-usage"], sandboxes=["dev"])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(credential)}")

    answers = [
        client.get("/api/v1/usage/", headers={"X-Sandbox-Name": name}) for name in ("dev", "prod")
    ]

    assert [answer.status_code for answer in answers] == [200, 403]


def test_a_credential_without_a_role_may_nothing(organization):
    api = api_client(organization, permissions=[])

    assert api.get("/api/v1/me/").json()["permissions"] == []
    assert api.get("/api/v1/usage/").status_code == 403
