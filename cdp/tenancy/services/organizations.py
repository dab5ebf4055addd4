"""Making organizations and sandboxes."""

from typing import Any

from django.db import IntegrityError, transaction

from cdp.errors import Conflict
from cdp.tenancy import audit, secrets
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Organization, Sandbox
from cdp.tenancy.namespaces import check_free
from cdp.tenancy.scope import organization_scope


@transaction.atomic
def create_organization(*, actor: Actor, name: str, tenant_namespace: str) -> Organization:
    """Make an organization with its `prod` sandbox.

    Raises `NameTaken` if the name or the tenant namespace is in use, and `Invalid` if
    the namespace is the name of a standard field.
    """
    organization = Organization(
        name=name, tenant_namespace=tenant_namespace, data_key=secrets.new_data_key()
    )
    clean(organization)
    check_free(tenant_namespace)
    try:
        with transaction.atomic():
            organization.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken(
            f"The name '{name}' or namespace '{tenant_namespace}' is in use."
        ) from error
    with organization_scope(organization, actor):
        audit.record(
            actor=actor,
            action="organization.created",
            target=organization,
            after={"name": name, "tenant_namespace": tenant_namespace},
            organization=organization,
        )
        create_sandbox(
            actor=actor,
            organization=organization,
            name="prod",
            title="Production",
            kind=Sandbox.Kind.PRODUCTION,
        )
    return organization


def change_organization(*, actor: Actor, organization: Organization, name: str) -> Organization:
    """Rename an organization; its tenant namespace never changes, because data carry it.

    Raises `NameTaken`.
    """
    before = {"name": organization.name}
    organization.name = name
    clean(organization)
    try:
        with transaction.atomic():
            organization.save(update_fields=["name"])
    except IntegrityError as error:
        raise NameTaken(f"The name '{name}' is in use.") from error
    audit.record(
        actor=actor,
        action="organization.changed",
        target=organization,
        before=before,
        after={"name": name},
        organization=organization,
    )
    return organization


def create_sandbox(
    *,
    actor: Actor,
    organization: Organization,
    name: str,
    title: str,
    kind: str = Sandbox.Kind.DEVELOPMENT,
    time_zone: str = "UTC",
    guards_labels: bool = False,
) -> Sandbox:
    """Make a sandbox. Raises `NameTaken`; runs inside the organization's scope."""
    sandbox = Sandbox(
        organization=organization,
        name=name,
        title=title,
        kind=kind,
        time_zone=time_zone,
        guards_labels=guards_labels,
    )
    clean(sandbox)
    try:
        with transaction.atomic():
            sandbox.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken(f"There is a sandbox '{name}' already.") from error
    audit.record(
        actor=actor,
        action="sandbox.created",
        target=sandbox,
        after={"name": name, "kind": kind, "time_zone": time_zone},
        sandbox=sandbox,
    )
    return sandbox


def change_sandbox(*, actor: Actor, sandbox: Sandbox, **changes: Any) -> Sandbox:
    """Change a sandbox's title, time zone or guard of labels; its name and kind never change."""
    fixed = {"name", "kind"} & changes.keys()
    if fixed:
        raise Conflict(f"The {fixed.pop()} of a sandbox cannot change. Make another sandbox.")
    before = {field: getattr(sandbox, field) for field in changes}
    for field, value in changes.items():
        setattr(sandbox, field, value)
    clean(sandbox)
    sandbox.save()
    audit.record(
        actor=actor,
        action="sandbox.changed",
        target=sandbox,
        before=before,
        after=changes,
        sandbox=sandbox,
    )
    return sandbox
