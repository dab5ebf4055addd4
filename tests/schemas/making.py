"""Schemas for tests, made as people make them."""

from typing import Any

from cdp.schemas.models import Component, Descriptor, Schema
from cdp.schemas.registry.catalogue import EVENT_CLASS, PROFILE_CLASS
from cdp.schemas.registry.descriptors import DescriptorKind
from cdp.schemas.registry.resources import Kind
from cdp.schemas.services.components import create_component
from cdp.schemas.services.descriptors import create_descriptor
from cdp.schemas.services.schemas import create_schema, enable_for_profile
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox

ACTOR = Actor.system("tests")
NS = "https://ns.adobe.com/"
DEMOGRAPHIC = f"{NS}xdm/context/profile-person-details"
CONTACT = f"{NS}xdm/context/profile-personal-details"
AUDIT = f"{NS}xdm/common/external-source-system-audit-details"
CONSENTS = f"{NS}xdm/mixins/profile-consents"
IDENTITY_MAP = f"{NS}xdm/context/identitymap"
WEB_SDK = f"{NS}experience/aep-web-sdk-experienceevent"
WEB = f"{NS}xdm/context/experienceevent-web"
CONSUMER = f"{NS}xdm/context/experienceevent-consumer"
END_USER_IDS = f"{NS}xdm/context/experienceevent-enduserids"
COMMERCE = f"{NS}xdm/context/experienceevent-commerce"
ANALYTICS = f"{NS}experience/analytics/experienceevent-all"

TEXT = {"type": "string"}


def root(sandbox: Sandbox) -> str:
    """Name the root of the tenant's own fields."""
    return f"_{sandbox.organization.tenant_namespace}"


def own(sandbox: Sandbox, **properties: Any) -> dict[str, Any]:
    """Make a definition of fields of the tenant's own."""
    return {"properties": {root(sandbox): {"type": "object", "properties": properties}}}


def make_schema(
    sandbox: Sandbox,
    *groups: str,
    title: str = "People",
    class_uri: str = PROFILE_CLASS,
    **properties: Any,
) -> Schema:
    """Make a schema with these field groups and these fields of its own."""
    return create_schema(
        actor=ACTOR,
        sandbox=sandbox,
        title=title,
        class_uri=class_uri,
        field_groups=groups,
        definition=own(sandbox, **properties) if properties else None,
    )


def make_event_schema(
    sandbox: Sandbox, *groups: str, title: str = "Events", **properties: Any
) -> Schema:
    """Make a schema of events."""
    return make_schema(sandbox, *groups, title=title, class_uri=EVENT_CLASS, **properties)


def make_group(
    sandbox: Sandbox, *classes: str, title: str = "Loyalty", **properties: Any
) -> Component:
    """Make a field group of the sandbox's own."""
    return create_component(
        actor=ACTOR,
        sandbox=sandbox,
        kind=Kind.FIELD_GROUP,
        title=title,
        classes=classes,
        definition=own(sandbox, **(properties or {"tier": TEXT})),
    )


def add_identity(
    schema: Schema, path: str, namespace: str = "Email", *, primary: bool = True
) -> Descriptor:
    """Say that a field is an identity."""
    return create_descriptor(
        actor=ACTOR,
        schema=schema,
        kind=DescriptorKind.IDENTITY,
        paths=[path],
        namespace=namespace,
        primary=primary,
    )


def make_profile_schema(sandbox: Sandbox, *groups: str, title: str = "People") -> Schema:
    """Make a schema that is enabled for Profile, with the e-mail address as its identity."""
    schema = make_schema(sandbox, CONTACT, *groups, title=title)
    add_identity(schema, "personalEmail.address")
    return enable_for_profile(actor=ACTOR, schema=schema)
