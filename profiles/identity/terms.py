"""Words under which a person may be searched, in the form in which they are compared."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from profiles.identity.rules import Identity

NAME: Final = "name"
EMAIL: Final = "email"
PHONE: Final = "phone"
LONGEST: Final = 200

_NAMES: Final = tuple(("person", "name", part) for part in ("firstName", "lastName", "fullName"))
_EMAILS: Final = (("personalEmail", "address"), ("workEmail", "address"))
_PHONES: Final = (("mobilePhone", "number"), ("homePhone", "number"), ("workPhone", "number"))

_NAMESPACES: Final = {"Email": EMAIL, "Phone": PHONE, "Phone_E.164": PHONE}

Term = tuple[str, str]


def normalise_term(kind: str, text: str) -> str:
    """Return a search word in its compared form.

    >>> normalise_term("phone", "+49 (151) 12-34")
    '491511234'
    >>> normalise_term("name", "  Sarah   ROSE ")
    'sarah rose'
    """
    if kind == PHONE:
        digits = "".join(letter for letter in text if letter.isdecimal())
        return digits.removeprefix("00")[:LONGEST]
    return " ".join(text.lower().split())[:LONGEST]


def sources_of_kind(kind: str) -> tuple[list[str], list[str]]:
    """Return the attributes and the namespaces that words of a kind are taken from.

    >>> sources_of_kind("email")
    (['personalEmail.address', 'workEmail.address'], ['Email'])
    """
    paths = {EMAIL: _EMAILS, PHONE: _PHONES, NAME: _NAMES}[kind]
    spaces = [namespace for namespace, own in _NAMESPACES.items() if own == kind]
    return [".".join(path) for path in paths], spaces


def terms_of(document: Mapping[str, Any], identities: Iterable[Identity] = ()) -> set[Term]:
    """Return every word under which a merged profile is found: by first or last name, too.

    >>> sorted(terms_of({"person": {"name": {"firstName": "Sarah", "lastName": "Rose"}}}))
    [('name', 'rose sarah'), ('name', 'sarah rose')]
    """
    said = [*_texts(document), *_identifiers(identities)]
    found = {(kind, normalise_term(kind, text)) for kind, text in said}
    return {(kind, term) for kind, term in found if term}


def _identifiers(identities: Iterable[Identity]) -> Iterator[Term]:
    for identity in identities:
        if kind := _NAMESPACES.get(identity.namespace):
            yield kind, identity.value


def _texts(document: Mapping[str, Any]) -> Iterator[Term]:
    name = _at(document, ("person", "name"))
    if isinstance(name, Mapping):
        first, last, full = (name.get(key) for key in ("firstName", "lastName", "fullName"))
        names = [part for part in (first, last) if isinstance(part, str)]
        yield NAME, " ".join(names)
        yield NAME, " ".join(reversed(names))
        if isinstance(full, str):
            yield NAME, full
    for kind, paths in ((EMAIL, _EMAILS), (PHONE, _PHONES)):
        for path in paths:
            if isinstance(value := _at(document, path), str):
                yield kind, value


def _at(document: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
