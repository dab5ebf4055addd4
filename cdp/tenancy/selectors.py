"""What can be asked about organizations and who may do what in them."""

from django.db.models import Q, QuerySet

from cdp.tenancy.models import (
    AuditEvent,
    Credential,
    Organization,
    Role,
    Sandbox,
    UsageCounter,
    WriteKey,
)


def list_organizations() -> QuerySet[Organization]:
    """Return every organization; for operators."""
    return Organization.objects.all()


def list_sandboxes(organization: Organization) -> QuerySet[Sandbox]:
    """Return the sandboxes of an organization."""
    return Sandbox.objects.filter(organization=organization)


def list_credentials(organization: Organization) -> QuerySet[Credential]:
    """Return the OAuth2 clients of an organization."""
    credentials: QuerySet[Credential] = Credential.objects.filter(organization=organization)
    return credentials


def list_roles(organization: Organization) -> QuerySet[Role]:
    """Return the roles of an organization."""
    return Role.objects.for_organization(organization)


def list_write_keys(sandbox: Sandbox) -> QuerySet[WriteKey]:
    """Return the write keys of a sandbox, revoked ones too."""
    return WriteKey.objects.filter(sandbox=sandbox)


def list_audit_events(sandbox: Sandbox) -> QuerySet[AuditEvent]:
    """Return what happened in a sandbox and to its organization as a whole."""
    events = AuditEvent.objects.for_organization(sandbox.organization_id)
    return events.filter(Q(sandbox=sandbox) | Q(sandbox=None)).select_related("sandbox")


def list_usage(sandbox: Sandbox) -> QuerySet[UsageCounter]:
    """Return the usage counters of a sandbox."""
    return UsageCounter.objects.for_sandbox(sandbox)
