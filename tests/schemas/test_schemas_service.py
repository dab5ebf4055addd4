"""Making, changing and deleting schemas."""

import pytest

from cdp.errors import Conflict
from cdp.schemas.errors import ChangeRefused, DefinitionRefused
from cdp.schemas.models import ResourceVersion, Schema
from cdp.schemas.registry.catalogue import EVENT_CLASS, PROFILE_CLASS
from cdp.schemas.selectors import compiled_schema, union_fields
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
    TEXT,
    add_identity,
    make_event_schema,
    make_profile_schema,
    make_schema,
    own,
    root,
)


def rules(refusal: pytest.ExceptionInfo) -> list[tuple[str, str]]:
    return [(error["code"], error["path"]) for error in refusal.value.errors]


@pytest.mark.acceptance("A-14")
def test_customer_attributes_are_composed_of_four_standard_groups(in_scope):
    schema = make_schema(in_scope, DEMOGRAPHIC, CONTACT, AUDIT, CONSENTS, tier=TEXT)

    compiled = compiled_schema(in_scope, schema.pk)
    assert schema.behavior == "record"
    assert schema.class_uri == PROFILE_CLASS
    assert (
        compiled.validate(
            {
                "person": {"name": {"firstName": "Ada"}, "birthDate": "1815-12-10"},
                "personalEmail": {"address": "ada@example.com"},
                "extSourceSystemAudit": {"lastUpdatedDate": "2026-01-01T00:00:00Z"},
                "consents": {"collect": {"val": "y"}},
                root(in_scope): {"tier": "gold"},
            }
        )
        == []
    )
