"""Making, changing, trying and deleting connections to sources."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from cdp.datasets.errors import ConnectionInUse, SourceFailed
from cdp.datasets.models import Connection, Flow
from cdp.datasets.sources.base import (
    SourceError,
    SourceType,
)
from cdp.datasets.sources.registry import get_type
from cdp.outgoing.accounts import Account, configured, reconfigured
from cdp.tenancy import audit, secrets
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox


def create_connection(
    *,
    actor: Actor,
    sandbox: Sandbox,
    kind: str,
    settings: Mapping[str, Any],
    **values: Any,
) -> Connection:
    """Make a connection; nothing is tried yet. Raises `Invalid` or `NameTaken`."""
    account = configured(get_type(kind), settings, folder_of(sandbox))
    connection = Connection(sandbox=sandbox, kind=kind, **values)
    _put(connection, account)
    clean(connection)
    _save(connection, force_insert=True)
    audit.record(
        actor=actor,
        action="connection.created",
        target=connection,
        after={"name": connection.name, "kind": kind, "settings": dict(account.settings)},
    )
    return connection


def change_connection(
    *,
    actor: Actor,
    connection: Connection,
    settings: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Connection:
    """Change a connection; settings are merged, null takes one away. Raises as creating."""
    before = {field: getattr(connection, field) for field in changes}
    for field, value in changes.items():
        setattr(connection, field, value)
    after = dict(changes)
    if settings is not None:
        account = reconfigured(get_type(connection.kind), account_of(connection), settings)
        before["settings"], after["settings"] = connection.settings, dict(account.settings)
        _put(connection, account)
    clean(connection)
    _save(connection)
    audit.record(
        actor=actor, action="connection.changed", target=connection, before=before, after=after
    )
    return connection


def delete_connection(*, actor: Actor, connection: Connection) -> None:
    """Delete a connection that no flow uses. Raises `ConnectionInUse` with those that do."""
    flows = Flow.objects.for_sandbox(connection.sandbox_id).filter(connection=connection)
    dependents = [{"type": "flow", "id": flow.pk, "name": flow.name} for flow in flows[:100]]
    if dependents:
        raise ConnectionInUse("Flows use this connection; see `dependents`.", dependents=dependents)
    audit.record(actor=actor, action="connection.deleted", target=connection)
    connection.delete()


def test_connection(*, actor: Actor, connection: Connection) -> str:
    """Try a connection and keep what was found. Raises `SourceFailed`."""
    with asking(connection) as source:
        found = source.test()
    connection.tested_at, connection.test_result = timezone.now(), found
    connection.save(update_fields=["tested_at", "test_result"])
    return found


@contextmanager
def asking(connection: Connection) -> Iterator[SourceType]:
    """Lend the source to somebody who waits for its answer. Raises `SourceFailed`."""
    source = source_of(connection)
    try:
        yield source
    except SourceError as error:
        raise SourceFailed(source.account.without_secrets(error.detail)) from error


def source_of(connection: Connection) -> SourceType:
    """Return the source, ready to be asked."""
    return get_type(connection.kind)(account_of(connection))


def account_of(connection: Connection) -> Account:
    """Return a connection's settings with its secrets in the clear."""
    organization = connection.sandbox.organization
    return Account(
        settings=connection.settings,
        secrets=secrets.decrypt(organization, bytes(connection.secrets)),
        folder=folder_of(connection.sandbox),
    )


def folder_of(sandbox: Sandbox) -> str:
    """Return the folder of the sandbox among the local sources."""
    return str(sandbox.pk)


def _put(connection: Connection, account: Account) -> None:
    connection.settings = dict(account.settings)
    connection.secrets = secrets.encrypt(connection.sandbox.organization, dict(account.secrets))


def _save(connection: Connection, *, force_insert: bool = False) -> None:
    try:
        with transaction.atomic():
            connection.save(force_insert=force_insert)
    except IntegrityError as error:
        raise NameTaken(f"There is a connection '{connection.name}' already.") from error
