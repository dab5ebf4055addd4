"""Who a tracker's message is about, as an XDM identity map."""

from collections.abc import Mapping
from typing import Any, Final

USER: Final = "UserId"
ANONYMOUS: Final = "AnonymousId"
EMAIL: Final = "Email"
PREVIOUS: Final = "previousId"


def identity_map(message: Mapping[str, Any], namespaces: Mapping[str, str]) -> dict[str, Any]:
    """Return the identities of a message by namespace; the known person comes first.

    `namespaces` replaces the namespace of `user`, `anonymous` or `email`; an empty
    one leaves that kind out.
    """
    user = _text(message.get("userId"))
    anonymous = _text(message.get("anonymousId"))
    found: dict[str, list[dict[str, Any]]] = {}
    _add(found, namespaces.get("user", USER), user, "authenticated", primary=bool(user))
    _add(found, namespaces.get("anonymous", ANONYMOUS), anonymous, "ambiguous", primary=not user)
    _add(found, namespaces.get("email", EMAIL), _email(message), "ambiguous")
    if message.get("type") == "alias":
        previous = _text(message.get(PREVIOUS))
        # The id that the person had before is as a rule the anonymous one of that time.
        _add(found, namespaces.get("previous", _previous(namespaces)), previous, "ambiguous")
    return found


def _previous(namespaces: Mapping[str, str]) -> str:
    return namespaces.get("anonymous", ANONYMOUS)


def _email(message: Mapping[str, Any]) -> str:
    email = _text(message["traits"].get("email"))
    return email if "@" in email else ""


def _add(
    found: dict[str, list[dict[str, Any]]],
    namespace: str,
    value: str,
    state: str,
    *,
    primary: bool = False,
) -> None:
    items = found.setdefault(namespace, []) if namespace and value else []
    if namespace and value and all(item["id"] != value for item in items):
        items.append({"id": value, "authenticatedState": state, "primary": primary})


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()
