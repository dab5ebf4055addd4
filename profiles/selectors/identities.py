"""Finding identities."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from cdp.errors import FieldError
from cdp.tenancy.models import Sandbox
from profiles.errors import IdentityInvalid
from profiles.identity.namespaces import NamespaceCatalogue
from profiles.identity.rules import Identity
from profiles.identity.values import IdentityRefused, normalise
from profiles.selectors.rules import namespace_catalogue
from profiles.sets import OWN, select

_MEMBERS: Final = f"""
SELECT unnest(members), id FROM profiles_profile WHERE {OWN} AND id = ANY(%(profiles)s)
"""


def identity_of_text(
    sandbox: Sandbox,
    text: str,
    *,
    path: str = "identity",
    namespaces: NamespaceCatalogue | None = None,
) -> Identity:
    """Read `Namespace:value` as it is stored. Raises `IdentityInvalid`."""
    code, colon, value = text.partition(":")
    if not colon:
        detail = "Write an identity as Namespace:value, such as Email:sarah@luma.com."
        raise IdentityInvalid(detail, errors=[_error(path, "malformed", detail)])
    return identities_at(sandbox, [(path, code, value)], namespaces)[0]


def stored_identity(sandbox: Sandbox, code: str, value: str, *, path: str) -> Identity:
    """Bring an identity into the form in which it is stored. Raises `IdentityInvalid`."""
    return identities_at(sandbox, [(path, code, value)])[0]


def stored_identities(
    sandbox: Sandbox, given: Sequence[tuple[str, str]], *, path: str = "identities"
) -> list[Identity]:
    """Bring the identities of a list into the form in which they are stored.

    Raises `IdentityInvalid`, which names each that cannot be one.
    """
    return identities_at(
        sandbox, [(f"{path}.{place}", *identity) for place, identity in enumerate(given)]
    )


def identities_at(
    sandbox: Sandbox,
    given: Iterable[tuple[str, str, str]],
    namespaces: NamespaceCatalogue | None = None,
) -> list[Identity]:
    """As `stored_identities`, each with the place in the request that a refusal names."""
    known = namespaces or namespace_catalogue(sandbox)
    found: list[Identity] = []
    errors: list[FieldError] = []
    for path, code, value in given:
        outcome = _stored(known, code, value, path)
        if isinstance(outcome, Identity):
            found.append(outcome)
        else:
            errors.append(outcome)
    if errors:
        raise IdentityInvalid("Some identities cannot be any; see `errors`.", errors=errors)
    return found


def members_of(sandbox: Sandbox, profiles: Collection[int]) -> dict[int, int]:
    """Return the identities of these profiles, by number, with the profile of each."""
    return dict(select(_MEMBERS, sandbox, profiles=list(profiles)))


def _stored(
    namespaces: NamespaceCatalogue, code: str, value: str, path: str
) -> Identity | FieldError:
    namespace = namespaces.find(code)
    if namespace is None:
        return _error(path, "namespace_unknown", f"There is no namespace {code!r} in this sandbox.")
    try:
        return Identity(namespace.code, normalise(namespace, value))
    except IdentityRefused as refused:
        return _error(path, refused.code, refused.detail)


def _error(path: str, code: str, detail: str) -> FieldError:
    return {"path": path, "code": code, "detail": detail}
