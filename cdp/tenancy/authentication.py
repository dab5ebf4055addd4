"""From what a request carries to who acts, for whom, with which permissions.

The tables read here have no row-level policy, so these functions are the only door to them.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.utils import timezone

from cdp.errors import Forbidden, NotFound
from cdp.tenancy.actors import Actor
from cdp.tenancy.errors import OperatorsOnly, SandboxResetting, Unauthenticated
from cdp.tenancy.models import Operator, Organization, Sandbox, WriteKey
from cdp.tenancy.permissions import ALL
from cdp.tenancy.reading import find_sandbox_named, find_token, roles_of
from cdp.tenancy.scope import organization_scope, scope


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a credential or an operator, before a sandbox is chosen.

    `organization` is None for an operator who has not said one.
    """

    kind: str
    id: str
    name: str
    organization: Organization | None
    is_operator: bool

    @property
    def is_authenticated(self) -> bool:
        """Answer the question that the REST framework asks of a user."""
        return True


def caller_of_token(token: str, organization_id: str = "") -> Caller:
    """Return the caller behind a bearer token. Raises `Unauthenticated`."""
    found = find_token(hashlib.sha256(token.encode()).hexdigest())
    if found is None:
        raise Unauthenticated("The access token is unknown. Get one at /oauth/token/.")
    if found.expires <= timezone.now():
        raise Unauthenticated("The access token has expired. Get a new one at /oauth/token/.")
    if not found.is_operator_active:
        raise Unauthenticated("The operator behind this credential is no longer active.")
    organization = found.organization or _organization_said(organization_id)
    is_operator = found.organization is None
    return Caller(
        "credential", found.credential_id, found.credential_name, organization, is_operator
    )


def caller_of_operator(operator: Operator, organization_id: str = "") -> Caller:
    """Return the caller behind an operator's session in the console."""
    return Caller(
        "operator", operator.pk, operator.email, _organization_said(organization_id), True
    )


def sandbox_named(caller: Caller, name: str) -> Sandbox:
    """Return the sandbox of the caller's organization. Raises `NotFound`."""
    sandbox = find_sandbox_named(organization_of(caller), name)
    if sandbox is None:
        raise NotFound(f"There is no sandbox '{name}'. Say one of yours in X-Sandbox-Name.")
    if sandbox.state == Sandbox.State.RESETTING:
        raise SandboxResetting(f"The sandbox '{name}' is being reset. Come back when it is done.")
    return sandbox


def organization_of(caller: Caller) -> Organization:
    """Return the organization the caller acts for. Raises `Forbidden` if an operator said none."""
    if caller.organization is None:
        raise Forbidden("Say for which organization you act: send its id as X-Organization.")
    return caller.organization


@contextmanager
def acting(caller: Caller, sandbox: Sandbox | None, request_id: str = "") -> Iterator[Actor]:
    """Open the scope that a request runs in, and yield the actor with its permissions.

    In a sandbox, those of the roles that name it; without one, for resources of the
    organization as a whole, those of all its roles. One transaction reads the roles and
    does the work, so a change of roles holds from the next request on.
    """
    organization = organization_of(caller)
    actor = Actor(caller.kind, caller.id, caller.name, frozenset(), organization.pk, request_id)
    opened = scope(sandbox, actor) if sandbox else organization_scope(organization, actor)
    with opened:
        if caller.is_operator:
            yield replace(actor, permissions=ALL)
            return
        permissions, labels = _held(caller, organization, sandbox)
        guarded = sandbox is not None and sandbox.guards_labels
        yield replace(actor, permissions=permissions, labels=labels if guarded else None)


def operator_acting(caller: Caller, request_id: str = "") -> Actor:
    """Return the actor of work on the installation itself. Raises `OperatorsOnly`."""
    if not caller.is_operator:
        raise OperatorsOnly("Only operators of the installation may do this.")
    return Actor(caller.kind, caller.id, caller.name, ALL, None, request_id)


def actor_of_write_key(write_key: WriteKey, request_id: str = "") -> Actor:
    """Return the actor behind a write key, who may send data and nothing else."""
    return Actor(
        "write_key",
        write_key.pk,
        write_key.name,
        frozenset({"ingest"}),
        write_key.sandbox.organization_id,
        request_id,
    )


def write_key_of(key: str) -> WriteKey:
    """Return the live write key, with its sandbox. Raises `Unauthenticated`."""
    found = (
        WriteKey.objects.select_related("sandbox__organization")
        .filter(key_hash=hash_key(key), revoked_at=None)
        .first()
    )
    if found is None:
        raise Unauthenticated("The write key is unknown or revoked.")
    return found


def find_sandbox(sandbox_id: int) -> Sandbox | None:
    """Return the sandbox with this number, for a door that reads it from an inlet's id."""
    return Sandbox.objects.select_related("organization").filter(pk=sandbox_id).first()


def hash_key(key: str) -> str:
    """Return what is stored of a write key; it is random, so a plain hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


def _organization_said(organization_id: str) -> Organization | None:
    if not organization_id:
        return None
    found = Organization.objects.filter(pk=organization_id).first()
    if found is None:
        raise NotFound(f"There is no organization '{organization_id}'.")
    return found


def _held(
    caller: Caller, organization: Organization, sandbox: Sandbox | None
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the permissions and the labels that the caller's roles give it together."""
    held = roles_of(caller.id, organization, sandbox)
    permissions = frozenset(one for own, _ in held for one in own)
    return permissions, frozenset(one for _, own in held for one in own)
