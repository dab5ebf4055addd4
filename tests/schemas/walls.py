"""One object for each route of schemas."""

from cdp.schemas.registry.descriptors import DescriptorKind
from cdp.schemas.registry.resources import Kind
from cdp.schemas.services.components import create_component
from cdp.schemas.services.descriptors import create_descriptor
from cdp.tenancy.models import Sandbox
from tests.schemas.making import ACTOR, TEXT, make_schema, own
from tests.walls import names, opened_otherwise

opened_otherwise("/api/v1/behaviors/{pk}", "behaviors are standard and the same for everybody")
opened_otherwise("/api/v1/unions/{pk}", "named by a class that all know; holds the caller's fields")


def component(sandbox: Sandbox, kind: Kind, **values: object) -> dict[str, str]:
    made = create_component(
        actor=ACTOR,
        sandbox=sandbox,
        kind=kind,
        title=f"Walled {kind.noun}",
        definition=own(sandbox, walled=TEXT),
        **values,
    )
    return {"pk": made.pk}


@names("/api/v1/classes/{pk}")
def schema_class(sandbox: Sandbox) -> dict[str, str]:
    return component(sandbox, Kind.CLASS, bases=["https://ns.adobe.com/xdm/data/record"])


@names("/api/v1/field-groups/{pk}")
def field_group(sandbox: Sandbox) -> dict[str, str]:
    return component(sandbox, Kind.FIELD_GROUP)


@names("/api/v1/data-types/{pk}")
def data_type(sandbox: Sandbox) -> dict[str, str]:
    return component(sandbox, Kind.DATA_TYPE)


@names("/api/v1/schemas/{pk}")
def schema(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": make_schema(sandbox, title="Walled schema", walled=TEXT).pk}


@names("/api/v1/descriptors/{pk}")
def descriptor(sandbox: Sandbox) -> dict[str, str]:
    made = create_descriptor(
        actor=ACTOR,
        schema=make_schema(sandbox, title="Described", walled=TEXT),
        kind=DescriptorKind.LABEL,
        paths=[f"_{sandbox.organization.tenant_namespace}.walled"],
        labels=["C1"],
    )
    return {"pk": made.pk}
