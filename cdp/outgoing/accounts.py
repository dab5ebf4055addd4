"""Accounts at other people's services: settings by a JSON Schema, and secrets among them.

Kinds of sources and of destinations alike are `Configurable`. What their schema marks
`writeOnly` is a secret: kept apart, and repeated by no message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus

from jsonschema_rs import Draft202012Validator

from cdp.errors import FieldError, Invalid


@dataclass(frozen=True, slots=True)
class Account:
    """The settings of one connection; `folder` is where its local files may lie."""

    settings: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(repr=False)
    folder: str = ""

    def __getitem__(self, name: str) -> Any:
        return self.secrets[name] if name in self.secrets else self.settings[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a setting or secret, or the default if it is not set."""
        return self.secrets.get(name, self.settings.get(name, default))

    def without_secrets(self, text: str) -> str:
        """Return a text from outside with our secrets blacked out, in case it repeats them."""
        for secret in self.secrets.values():
            for form in {str(secret), quote(str(secret)), quote_plus(str(secret))}:
                text = text.replace(form, "***") if form else text
        return text


class Configurable:
    """A kind of service that accounts can be set up for."""

    settings_schema: ClassVar[Mapping[str, Any]]
    # Secrets that are sent along, each with the settings that say where to. They must be given
    # again when one changes: nobody learns a secret by pointing a connection at himself.
    sent_secrets: ClassVar[Mapping[str, str | tuple[str, ...]]] = {}

    def __init__(self, account: Account) -> None:
        self.account = account

    @classmethod
    def checked(cls, account: Account) -> Account:
        """Return the account as it will be used.

        Raises `ValueError` for settings that fit the schema and still cannot work.
        """
        return account


def configured(kind: type[Configurable], values: Mapping[str, Any], folder: str) -> Account:
    """Return an account of checked settings, defaults filled in. Raises `Invalid`."""
    whole = with_defaults(kind.settings_schema, values)
    secret = _secret_names(kind.settings_schema)
    check("settings", kind.settings_schema, whole, secret)
    account = Account(
        settings={name: value for name, value in whole.items() if name not in secret},
        secrets={name: value for name, value in whole.items() if name in secret},
        folder=folder,
    )
    try:
        return kind.checked(account)
    except ValueError as error:
        problem = FieldError(path="settings", code="unusable", detail=str(error))
        raise Invalid(str(error), errors=[problem]) from error


def reconfigured(kind: type[Configurable], account: Account, changes: Mapping[str, Any]) -> Account:
    """Return the account after a merge of changes, where null takes a setting away.

    Raises `Invalid` as `configured`, and for a secret that must be given again.
    """
    before = {**account.settings, **account.secrets}
    after = {name: value for name, value in {**before, **changes}.items() if value is not None}
    errors = [
        FieldError(path=f"settings.{secret}", code="required", detail="Give this secret again.")
        for secret, places in kind.sent_secrets.items()
        if secret in after
        and secret not in changes
        and any(after.get(place) != before.get(place) for place in _each(places))
    ]
    if errors:
        raise Invalid("What is sent along must be given again for another address.", errors=errors)
    return configured(kind, after, account.folder)


def with_defaults(schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the schema's defaults."""
    properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
    defaults = {name: each["default"] for name, each in properties.items() if "default" in each}
    return defaults | dict(values)


def check(
    root: str,
    schema: Mapping[str, Any],
    values: Mapping[str, Any],
    secret: frozenset[str] = frozenset(),
) -> None:
    """Raise `Invalid` with everything that does not fit; no message repeats a secret."""
    errors = []
    for error in Draft202012Validator(dict(schema)).iter_errors(dict(values)):
        path = ".".join([root, *map(str, error.instance_path)])
        hidden = bool(error.instance_path) and error.instance_path[0] in secret
        detail = "This secret has another form." if hidden else str(error.message)
        errors.append(FieldError(path=path, code=error.kind.name, detail=detail))
    if errors:
        raise Invalid(f"The {root} do not fit; see `errors`.", errors=errors)


def _each(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def _secret_names(schema: Mapping[str, Any]) -> frozenset[str]:
    properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
    return frozenset(name for name, each in properties.items() if each.get("writeOnly"))
