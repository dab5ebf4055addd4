"""Checking settings and selections against their JSON Schemas."""

from collections.abc import Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator

from cdp.datasets.sources.base import Account, SourceType
from cdp.errors import FieldError, Invalid


def secret_names(source_type: type[SourceType]) -> frozenset[str]:
    """Return the settings that are kept encrypted."""
    properties: Mapping[str, Mapping[str, Any]] = source_type.settings_schema["properties"]
    return frozenset(name for name, schema in properties.items() if schema.get("writeOnly"))


def configured(source_type: type[SourceType], values: Mapping[str, Any], folder: str) -> Account:
    """Return an account of checked settings, defaults filled in. Raises `Invalid`."""
    secret = secret_names(source_type)
    whole = with_defaults(source_type.settings_schema, values)
    check("settings", source_type.settings_schema, whole, secret)
    account = Account(
        settings={name: value for name, value in whole.items() if name not in secret},
        secrets={name: value for name, value in whole.items() if name in secret},
        folder=folder,
    )
    try:
        return source_type.checked(account)
    except ValueError as error:
        problem = FieldError(path="settings", code="unusable", detail=str(error))
        raise Invalid(str(error), errors=[problem]) from error


def reconfigured(
    source_type: type[SourceType], account: Account, changes: Mapping[str, Any]
) -> Account:
    """Return the account after a merge of changes, where null takes a setting away.

    Raises `Invalid` as `configured`, and for a secret that must be given again.
    """
    before = {**account.settings, **account.secrets}
    after = {name: value for name, value in {**before, **changes}.items() if value is not None}
    errors = [
        FieldError(path=f"settings.{secret}", code="required", detail="Give this secret again.")
        for secret, place in source_type.sent_secrets.items()
        if secret in after and secret not in changes and after.get(place) != before.get(place)
    ]
    if errors:
        raise Invalid("What is sent along must be given again for another address.", errors=errors)
    return configured(source_type, after, account.folder)


def checked_selection(
    source_type: type[SourceType], selection: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is to be read, defaults filled in. Raises `Invalid`."""
    whole = with_defaults(source_type.selection_schema, selection)
    check("selection", source_type.selection_schema, whole, frozenset())
    return whole


def with_defaults(schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the schema's defaults."""
    properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
    defaults = {name: each["default"] for name, each in properties.items() if "default" in each}
    return defaults | dict(values)


def check(
    root: str, schema: Mapping[str, Any], values: Mapping[str, Any], secret: frozenset[str]
) -> None:
    """Raise `Invalid` with everything that does not fit; no message repeats a secret."""
    errors = []
    for error in Draft202012Validator(dict(schema)).iter_errors(dict(values)):
        path = ".".join([root, *map(str, error.instance_path)])
        hidden = bool(error.instance_path) and error.instance_path[0] in secret
        detail = "This secret has another form." if hidden else str(error.message)
        errors.append(FieldError(path=path, code=error.kind.name, detail=detail))
    if errors:
        raise Invalid(f"The {root} do not fit this source type; see `errors`.", errors=errors)
