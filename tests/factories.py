"""Rows for tests: one factory a model, and the clients that call the API."""

import secrets as randomness
from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory
from oauth2_provider.models import get_access_token_model
from rest_framework.test import APIClient

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Credential, Organization, Sandbox
from cdp.tenancy.permissions import ALL
from cdp.tenancy.scope import organization_scope
from cdp.tenancy.services.access import create_credential, create_role
from cdp.tenancy.services.organizations import create_organization

ACTOR = Actor.system("tests")


class SandboxFactory(DjangoModelFactory[Any]):
    """The base of the factories of a sandbox's rows, made inside its scope.

    The managers that refuse unscoped reads are no use to a factory; the plain one is.
    """

    class Meta:
        abstract = True

    @classmethod
    def _get_manager(cls, model_class: Any) -> Any:
        return model_class._default_manager


class OrganizationFactory(factory.Factory[Organization]):
    """An organization as the service makes it, with its `prod` sandbox."""

    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Organization {n}")
    tenant_namespace = factory.Sequence(lambda n: f"tenant{n}")

    @classmethod
    def _create(cls, model_class: type[Organization], *args: Any, **values: Any) -> Organization:
        return create_organization(actor=ACTOR, **values)


def sandbox_of(organization: Organization, name: str = "prod") -> Sandbox:
    """Return a sandbox of the organization by name."""
    return Sandbox.objects.select_related("organization").get(organization=organization, name=name)


def make_credential(
    organization: Organization, permissions: list[str], sandboxes: list[str] | None = None
) -> Credential:
    """Make a credential whose one role holds these permissions in these sandboxes (all of them)."""
    with organization_scope(organization, ACTOR):
        credential, _ = create_credential(actor=ACTOR, organization=organization, name="Test")
        create_role(
            actor=ACTOR,
            organization=organization,
            name=f"Role of {credential.pk}",
            permissions=permissions,
            sandboxes=["*"] if sandboxes is None else sandboxes,
            credentials=[credential.pk],
        )
    return credential


def api_client(
    organization: Organization, *, permissions: list[str] | None = None, sandbox: str = "prod"
) -> APIClient:
    """Return a client with a credential of its own, with every permission unless some are given."""
    credential = make_credential(organization, sorted(ALL) if permissions is None else permissions)
    client = APIClient()
    client.credentials(
        HTTP_AUTHORIZATION=f"Bearer {make_token(credential)}", HTTP_X_SANDBOX_NAME=sandbox
    )
    return client


def make_token(credential: Credential, **lives: float) -> str:
    """Give a credential an access token; it lives an hour, or as long as `seconds=` etc. say."""
    token = randomness.token_urlsafe(24)
    get_access_token_model().objects.create(
        application=credential,
        token=token,
        scope="api",
        expires=timezone.now() + timedelta(**(lives or {"hours": 1})),
    )
    return token
