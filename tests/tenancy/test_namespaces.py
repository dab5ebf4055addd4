"""A tenant's own fields are never taken for standard ones."""

import pytest
from rest_framework.test import APIClient

from cdp.errors import Invalid
from cdp.schemas.registry.roots import standard_roots
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Organization
from cdp.tenancy.services.operators import create_operator
from cdp.tenancy.services.organizations import create_organization
from tests.factories import make_token

ME = Actor.system("tests")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["experience", "xdm", "repo", "id", "web", "commerce", "person"])
def test_a_standard_name_is_no_namespace(name):
    with pytest.raises(Invalid) as refusal:
        create_organization(actor=ME, name="Luma", tenant_namespace=name)

    (error,) = refusal.value.errors
    assert (error["path"], error["code"]) == ("tenant_namespace", "reserved")
    assert f"'_{name}'" in error["detail"]
    assert not Organization.objects.exists()


@pytest.mark.django_db
def test_the_api_says_why():
    _, credential, _ = create_operator(email="ops@example.com", password="long enough, truly")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(credential)}")

    refused = client.post(
        "/api/v1/organizations/", {"name": "Luma", "tenant_namespace": "experience"}
    )
    taken = client.post("/api/v1/organizations/", {"name": "Luma", "tenant_namespace": "luma"})

    assert refused.status_code == 422
    assert [error["code"] for error in refused.json()["errors"]] == ["reserved"]
    assert taken.status_code == 201


def test_what_lies_deeper_in_a_record_is_free():
    assert {"identitymap", "eventtype", "timestamp"} <= standard_roots()
    assert not {"sku", "val", "firstname", "luma"} & standard_roots()
