"""One object for each route of schemas."""

from cdp.schemas.registry.catalogue import RECORD
from cdp.schemas.registry.resources import Kind
from cdp.schemas.services.components import create_component
from cdp.schemas.services.schemas import enable_for_profile
from cdp.tenancy.models import Sandbox
from tests.factories import ACTOR
from tests.schemas.making import TEXT, add_identity, make_group, make_schema, own, root
from tests.walls import names, opened_otherwise

opened_otherwise("/api/v1/behaviors/{pk}", "behaviors are standard, the same for everybody")


@names("/api/v1/classes/{pk}")
def a_class(sandbox: Sandbox) -> dict[str, str]:
    made = create_component(
        actor=ACTOR, sandbox=sandbox, kind=Kind.CLASS, title="Walled class", bases=[RECORD]
    )
    return {"pk": made.pk}


@names("/api/v1/field-groups/{pk}")
def field_group(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": make_group(sandbox, title="Walled group").pk}


@names("/api/v1/data-types/{pk}")
def data_type(sandbox: Sandbox) -> dict[str, str]:
    made = create_component(
        actor=ACTOR,
        sandbox=sandbox,
        kind=Kind.DATA_TYPE,
        title="Walled type",
        definition={"properties": {"a": TEXT}},
    )
    return {"pk": made.pk}


@names("/api/v1/schemas/{pk}")
def schema(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": make_schema(sandbox, title="Walled schema", tier=TEXT).pk}


@names("/api/v1/descriptors/{pk}")
def descriptor(sandbox: Sandbox) -> dict[str, str]:
    described = make_schema(sandbox, title="Walled and described", email=TEXT)
    return {"pk": add_identity(described, f"{root(sandbox)}.email").pk}


@names("/api/v1/unions/{pk}")
def union(sandbox: Sandbox) -> dict[str, str]:
    made = create_component(
        actor=ACTOR,
        sandbox=sandbox,
        kind=Kind.CLASS,
        title="Walled members",
        bases=[RECORD],
        definition=own(sandbox, member=TEXT),
    )
    member = make_schema(sandbox, title="Walled member", class_uri=made.uri)
    add_identity(member, f"{root(sandbox)}.member")
    enable_for_profile(actor=ACTOR, schema=member)
    return {"pk": made.alt_id}
