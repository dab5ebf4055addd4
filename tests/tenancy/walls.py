"""One object for each route of tenancy."""

from cdp.tenancy.models import AuditEvent, Organization, Sandbox
from cdp.tenancy.services.access import create_credential, create_role, create_write_key
from cdp.tenancy.services.organizations import create_sandbox
from tests.factories import ACTOR
from tests.walls import names


@names("/api/v1/organizations/{pk}")
def organization(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": Organization.objects.get(pk=sandbox.organization_id).pk}


@names("/api/v1/sandboxes/{name}")
def another_sandbox(sandbox: Sandbox) -> dict[str, str]:
    made = create_sandbox(
        actor=ACTOR, organization=sandbox.organization, name="walled", title="Walled"
    )
    return {"name": made.name}


@names("/api/v1/credentials/{pk}")
def credential(sandbox: Sandbox) -> dict[str, str]:
    made, _ = create_credential(actor=ACTOR, organization=sandbox.organization, name="Walled")
    return {"pk": made.pk}


@names("/api/v1/roles/{pk}")
def role(sandbox: Sandbox) -> dict[str, str]:
    made = create_role(actor=ACTOR, organization=sandbox.organization, name="Walled")
    return {"pk": made.pk}


@names("/api/v1/write-keys/{pk}")
def write_key(sandbox: Sandbox) -> dict[str, str]:
    made, _ = create_write_key(actor=ACTOR, sandbox=sandbox, inlet_id="inl_walled", name="Walled")
    return {"pk": made.pk}


@names("/api/v1/audit-events/{pk}")
def audit_event(sandbox: Sandbox) -> dict[str, str]:
    create_write_key(actor=ACTOR, sandbox=sandbox, inlet_id="inl_walled", name="Audited")
    return {"pk": AuditEvent.objects.for_organization(sandbox.organization).latest("id").pk}
