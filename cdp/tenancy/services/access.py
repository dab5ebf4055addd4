"""Making credentials, write keys and roles."""

import secrets as randomness
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from cdp.errors import Conflict, FieldError, Invalid
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.authentication import hash_key
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Credential, Operator, Organization, Role, Sandbox, WriteKey
from cdp.tenancy.permissions import ALL, PERMISSIONS
from cdp.tenancy.scope import organization_scope


def create_credential(
    *,
    actor: Actor,
    organization: Organization | None,
    name: str,
    operator: Operator | None = None,
) -> tuple[Credential, str]:
    """Make an OAuth2 client; return it with its secret, which is shown only this once.

    Without an organization it belongs to `operator`. It holds no permission until a
    role names it.
    """
    secret = randomness.token_urlsafe(32)
    credential = Credential(
        organization=organization,
        user=operator,
        name=name,
        client_secret=secret,
        client_type=Credential.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Credential.GRANT_CLIENT_CREDENTIALS,
        skip_authorization=True,
    )
    credential.save(force_insert=True)  # hashes the secret
    if organization is not None:
        audit.record(
            actor=actor,
            action="credential.created",
            target=credential,
            after={"name": name, "client_id": credential.client_id},
            organization=organization,
        )
    return credential, secret


def delete_credential(*, actor: Actor, credential: Credential) -> None:
    """Delete a credential and every token it was given; they stop working at once."""
    organization = credential.organization
    if organization is None:
        raise Conflict(
            "An operator's credential goes with the operator: `manage.py delete_operator`."
        )
    audit.record(
        actor=actor, action="credential.deleted", target=credential, organization=organization
    )
    get_access_token_model().objects.filter(application=credential).delete()
    for role in Role.objects.for_organization(organization).filter(
        credentials__contains=[credential.pk]
    ):
        role.credentials.remove(credential.pk)
        role.save(update_fields=["credentials", "updated_at"])
    credential.delete()


def create_write_key(
    *, actor: Actor, sandbox: Sandbox, inlet_id: str, name: str
) -> tuple[WriteKey, str]:
    """Make a write key for an inlet; return it with the key, which is shown only this once."""
    key = randomness.token_urlsafe(24)
    row = WriteKey(
        sandbox=sandbox, inlet_id=inlet_id, name=name, key_hash=hash_key(key), hint=key[-4:]
    )
    clean(row)
    row.save(force_insert=True)
    audit.record(
        actor=actor, action="write_key.created", target=row, after={"inlet": inlet_id, "name": name}
    )
    return row, key


def revoke_write_key(*, actor: Actor, write_key: WriteKey) -> WriteKey:
    """Make a write key useless from now on. Revoking twice changes nothing."""
    if write_key.revoked_at is None:
        write_key.revoked_at = timezone.now()
        write_key.save(update_fields=["revoked_at"])
        audit.record(actor=actor, action="write_key.revoked", target=write_key)
    return write_key


def create_role(*, actor: Actor, organization: Organization, **values: Any) -> Role:
    """Make a role. Raises `Invalid` for an unknown permission, sandbox or credential."""
    role = Role(organization=organization, **values)
    _check_role(role)
    try:
        with transaction.atomic():
            role.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken(f"There is a role '{role.name}' already.") from error
    audit.record(actor=actor, action="role.created", target=role, after=values)
    return role


def change_role(*, actor: Actor, role: Role, **changes: Any) -> Role:
    """Change a role; it holds from the next request on. Raises as `create_role`."""
    before = {field: getattr(role, field) for field in changes}
    for field, value in changes.items():
        setattr(role, field, value)
    _check_role(role)
    try:
        with transaction.atomic():
            role.save()
    except IntegrityError as error:
        raise NameTaken(f"There is a role '{role.name}' already.") from error
    audit.record(actor=actor, action="role.changed", target=role, before=before, after=changes)
    return role


def delete_role(*, actor: Actor, role: Role) -> None:
    """Delete a role; its credentials lose what only it gave."""
    audit.record(actor=actor, action="role.deleted", target=role)
    role.delete()


def create_administrator(*, actor: Actor, organization: Organization) -> tuple[Credential, str]:
    """Make an organization's first credential, with a role that holds every permission."""
    with organization_scope(organization, actor):
        credential, secret = create_credential(
            actor=actor, organization=organization, name="Administrator"
        )
        create_role(
            actor=actor,
            organization=organization,
            name="Administrator",
            description="Everything, in every sandbox.",
            permissions=sorted(ALL),
            sandboxes=["*"],
            credentials=[credential.pk],
        )
    return credential, secret


def _check_role(role: Role) -> None:
    clean(role)
    organization = role.organization
    sandboxes = set(
        Sandbox.objects.filter(organization=organization).values_list("name", flat=True)
    )
    credentials = set(
        Credential.objects.filter(organization=organization).values_list("pk", flat=True)
    )
    errors = [
        *_unknown("permissions", role.permissions, set(PERMISSIONS)),
        *_unknown("sandboxes", role.sandboxes, {*sandboxes, "*"}),
        *_unknown("credentials", role.credentials, credentials),
    ]
    if errors:
        raise Invalid("The role names something that does not exist; see `errors`.", errors=errors)


def _unknown(path: str, given: Sequence[str], known: set[str]) -> list[FieldError]:
    return [
        FieldError(path=f"{path}.{index}", code="unknown", detail=f"'{value}' is not one of yours.")
        for index, value in enumerate(given)
        if value not in known
    ]
