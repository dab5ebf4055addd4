"""The examples of the API's document do what they say."""

import pytest

from cdp.schemas.api import examples
from tests.factories import OrganizationFactory, api_client


@pytest.fixture
def luma(db):
    return api_client(OrganizationFactory(tenant_namespace="luma"))


def test_every_example_is_taken(luma):
    def post(route, example, **more):
        answer = luma.post(f"/api/v1/{route}/", {**example.value, **more})
        assert answer.status_code in (200, 201), answer.json()
        return answer.json()

    post("classes", examples.CLASS[0])
    group = post("field-groups", examples.FIELD_GROUP[0])
    post("data-types", examples.DATA_TYPE[0])
    schema = post("schemas", examples.SCHEMA[0])
    identity, label = (
        post("descriptors", example, schema_id=schema["id"]) for example in examples.DESCRIPTOR
    )
    assert post(f"schemas/{schema['id']}/validate", examples.RECORD[0])["valid"]
    assert post("schemas/import", examples.IMPORT[0], partial=True)["failures"] != []
    for path, example in (
        (f"field-groups/{group['id']}", examples.COMPONENT_PATCH[0]),
        (f"schemas/{schema['id']}", examples.SCHEMA_PATCH[0]),
        (f"descriptors/{label['id']}", examples.DESCRIPTOR_PATCH[0]),
    ):
        answer = luma.patch(f"/api/v1/{path}/", example.value)
        assert answer.status_code == 200, answer.json()
    assert identity["settings"] == {"namespace": "Email", "primary": True}
