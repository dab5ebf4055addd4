"""What every request of the API reads before its own work."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from cdp.tenancy.models import Organization, Sandbox
from cdp.tenancy.rows import listed, row_of

_TOKEN: Final = f"""
SELECT token.expires, credential.id, coalesce(nullif(credential.name, ''), credential.client_id),
    coalesce(operator.is_active, true), {listed(Organization, "organization")}
FROM oauth2_provider_accesstoken AS token
JOIN tenancy_credential AS credential ON credential.id = token.application_id
LEFT JOIN tenancy_operator AS operator ON operator.id = credential.user_id
LEFT JOIN tenancy_organization AS organization ON organization.id = credential.organization_id
WHERE token.token_checksum = %s
"""
_SANDBOX: Final = f"""
SELECT {listed(Sandbox, "sandbox")}
FROM tenancy_sandbox AS sandbox
WHERE sandbox.organization_id = %s AND sandbox.name = %s
"""
# Without a sandbox every role of the organization counts.
_ROLES: Final = """
SELECT permissions, labels
FROM tenancy_role
WHERE organization_id = %(organization)s AND credentials @> ARRAY[%(caller)s]::varchar[]
    AND (%(sandbox)s::varchar IS NULL OR sandboxes && ARRAY[%(sandbox)s, '*']::varchar[])
"""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token that is known: until when it holds, and whose it is."""

    expires: datetime
    credential_id: str
    credential_name: str
    is_operator_active: bool
    organization: Organization | None


def find_token(checksum: str) -> Token | None:
    """Return the access token with this checksum, unless it belongs to no credential."""
    for expires, key, name, is_active, *organization in _select(_TOKEN, [checksum]):
        owner = row_of(Organization, organization) if organization[0] is not None else None
        return Token(expires, key, name, is_active, owner)
    return None


def find_sandbox_named(organization: Organization, name: str) -> Sandbox | None:
    """Return the sandbox of this name."""
    for values in _select(_SANDBOX, [organization.pk, name]):
        sandbox = row_of(Sandbox, values)
        sandbox.organization = organization
        return sandbox
    return None


def roles_of(
    caller_id: str, organization: Organization, sandbox: Sandbox | None
) -> list[tuple[list[str], list[str]]]:
    """Return permissions and labels of each role that a caller has; in a scope of the organization."""
    values = {
        "caller": caller_id,
        "organization": organization.pk,
        "sandbox": sandbox and sandbox.name,
    }
    return [(permissions, labels) for permissions, labels in _select(_ROLES, values)]


def _select(sql: str, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
