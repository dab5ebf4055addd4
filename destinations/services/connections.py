"""Making, changing, testing and deleting connections to destinations."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction

from cdp.outgoing.accounts import Account, configured, reconfigured
from cdp.tenancy import audit, secrets
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox
from destinations.connectors.base import Connector, DeliveryError
from destinations.connectors.registry import get_connector
from destinations.enums import ConnectionState
from destinations.errors import ConnectionInUse, TestFailed
from destinations.models import DestinationConnection
from governance.evaluation import Node
from governance.selectors import require_marketing_actions
from governance.services.decisions import require_standing_uses

DEPENDENTS_NAMED = 20


def create_connection(
    *,
    sandbox: Sandbox,
    actor: Actor,
    name: str,
    kind: str,
    settings: Mapping[str, Any],
    marketing_actions: Iterable[str],
) -> tuple[DestinationConnection, dict[str, Any]]:
    """Make a connection; return it with the secrets that we made for it, shown only this once.

    Raises `NameTaken`, `NotFound` for the kind, and `Invalid` for settings that do not
    fit it or a marketing action nobody knows.
    """
    connector = get_connector(kind)
    made = {
        name: secret for name, secret in connector.make_secrets().items() if name not in settings
    }
    connection = DestinationConnection(
        sandbox=sandbox, name=name, kind=kind, marketing_actions=sorted(set(marketing_actions))
    )
    require_marketing_actions(sandbox, connection.marketing_actions)
    _keep(connection, configured(connector, {**settings, **made}, connection.folder))
    _save(connection, force_insert=True)
    audit.record(
        actor=actor,
        action="destination_connection.created",
        target=connection,
        after={
            "name": name,
            "kind": kind,
            "settings": connection.settings,
            "marketing_actions": connection.marketing_actions,
        },
    )
    return connection, made


def change_connection(
    *, actor: Actor, connection: DestinationConnection, **changes: Any
) -> DestinationConnection:
    """Change a connection; settings are merged, and null takes one away.

    A new marketing action is refused (`UseRefused`) if a policy does not allow it for
    what is already sent there. Set to active, a stopped connection is tried again at once.
    """
    before = {field: getattr(connection, field) for field in changes}
    settings = changes.pop("settings", None)
    if settings is not None:
        kind = get_connector(connection.kind)
        _keep(connection, reconfigured(kind, account_of(connection), settings))
    if "marketing_actions" in changes:
        changes["marketing_actions"] = sorted(set(changes["marketing_actions"]))
        require_marketing_actions(connection.sandbox, changes["marketing_actions"])
    if changes.get("state") == ConnectionState.ACTIVE:
        connection.stopped_because, connection.failures, connection.resting_until = "", 0, None
    for field, value in changes.items():
        setattr(connection, field, value)
    _save(connection)
    if "marketing_actions" in changes:
        require_standing_uses(
            sandbox=connection.sandbox,
            actor=actor,
            changed=Node("destination", connection.pk, connection.name),
            target=connection,
        )
    audit.record(
        actor=actor,
        action="destination_connection.changed",
        target=connection,
        before=before,
        after={field: getattr(connection, field) for field in before},
    )
    return connection


def delete_connection(*, actor: Actor, connection: DestinationConnection) -> None:
    """Delete a connection. Raises `ConnectionInUse`, naming the activations."""
    used = connection.activations.order_by("pk").values_list("pk", flat=True)
    activations = list(used[:DEPENDENTS_NAMED])
    if activations:
        raise ConnectionInUse(
            f"Segments are still sent to '{connection.name}'. Delete these activations first.",
            dependents=[{"type": "activation", "id": each} for each in activations],
        )
    audit.record(actor=actor, action="destination_connection.deleted", target=connection)
    connection.delete()


def try_connection(connection: DestinationConnection) -> str:
    """Try a connection and say what was found. Raises `TestFailed`."""
    try:
        return connector_of(connection).test()
    except DeliveryError as error:
        raise TestFailed(error.detail) from error


def connector_of(connection: DestinationConnection) -> Connector:
    """Return the connector of a connection, ready to send."""
    return get_connector(connection.kind)(account_of(connection))


def unarmed_connector_of(connection: DestinationConnection) -> Connector:
    """Return the connector of a connection without its secrets, for asking how it sends."""
    return get_connector(connection.kind)(Account(connection.settings, {}))


def account_of(connection: DestinationConnection) -> Account:
    """Return a connection's settings with its secrets, for sending and for nothing else."""
    secret = secrets.decrypt(connection.sandbox.organization, bytes(connection.secrets))
    return Account(connection.settings, secret, connection.folder)


def _keep(connection: DestinationConnection, account: Account) -> None:
    connection.settings = dict(account.settings)
    connection.secrets = secrets.encrypt(connection.sandbox.organization, dict(account.secrets))


def _save(connection: DestinationConnection, *, force_insert: bool = False) -> None:
    clean(connection)
    try:
        with transaction.atomic():
            connection.save(force_insert=force_insert)
    except IntegrityError as error:
        raise NameTaken(f"There is a connection '{connection.name}' already.") from error
