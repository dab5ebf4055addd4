"""Checking a connection's settings against its connector's JSON Schema."""

from collections.abc import Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator

from cdp.errors import FieldError, Invalid
from destinations.connectors.base import Account, Connector


def secret_names(connector: type[Connector]) -> frozenset[str]:
    """Return the settings that are kept encrypted."""
    properties: Mapping[str, Mapping[str, Any]] = connector.settings_schema["properties"]
    return frozenset(name for name, schema in properties.items() if schema.get("writeOnly"))


def configured(connector: type[Connector], values: Mapping[str, Any], folder: str) -> Account:
    """Return an account of checked settings, defaults filled in. Raises `Invalid`."""
    properties: Mapping[str, Mapping[str, Any]] = connector.settings_schema["properties"]
    defaults = {name: each["default"] for name, each in properties.items() if "default" in each}
    whole = defaults | dict(values)
    errors = [
        FieldError(path=_path(error), code=error.kind.name, detail=_detail(error, connector))
        for error in Draft202012Validator(dict(connector.settings_schema)).iter_errors(whole)
    ]
    if errors:
        raise Invalid("The settings do not fit this destination type; see `errors`.", errors=errors)
    secret = secret_names(connector)
    account = Account(
        settings={name: value for name, value in whole.items() if name not in secret},
        secrets={name: value for name, value in whole.items() if name in secret},
        folder=folder,
    )
    try:
        return connector.checked(account)
    except ValueError as error:
        problem = FieldError(path="settings", code="unusable", detail=str(error))
        raise Invalid(str(error), errors=[problem]) from error


def reconfigured(
    connector: type[Connector], account: Account, changes: Mapping[str, Any]
) -> Account:
    """Return the account after a merge of changes, where null takes a setting away.

    Raises `Invalid` as `configured`, and for a secret that must be given again.
    """
    before = {**account.settings, **account.secrets}
    after = {name: value for name, value in {**before, **changes}.items() if value is not None}
    errors = [
        FieldError(path=f"settings.{secret}", code="required", detail="Give this secret again.")
        for secret, place in connector.sent_secrets.items()
        if secret in after and secret not in changes and after.get(place) != before.get(place)
    ]
    if errors:
        raise Invalid("What is sent along must be given again for another address.", errors=errors)
    return configured(connector, after, account.folder)


def _path(error: Any) -> str:
    return ".".join(["settings", *map(str, error.instance_path)])


def _detail(error: Any, connector: type[Connector]) -> str:
    # The message of a failed check repeats the value, which must not happen to a secret.
    secret = secret_names(connector)
    if error.instance_path and error.instance_path[0] in secret:
        return "This secret does not have the form that the destination type asks for."
    return str(error.message)
