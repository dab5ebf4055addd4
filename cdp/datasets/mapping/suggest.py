"""Suggesting where foreign columns belong, by what a source says of them and by their names."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from cdp.schemas.registry.fields import Field

_WORDS: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_LEAST: Final = 0.75
# What people call things, and what the standard fields are called.
_SAME: Final = {
    "email": "personalemail.address", "mail": "personalemail.address",
    "emailaddress": "personalemail.address", "firstname": "person.name.firstname",
    "givenname": "person.name.firstname", "lastname": "person.name.lastname",
    "surname": "person.name.lastname", "familyname": "person.name.lastname",
    "fullname": "person.name.fullname", "birthday": "person.birthdate",
    "dateofbirth": "person.birthdate", "dob": "person.birthdate", "sex": "person.gender",
    "mobile": "mobilephone.number", "mobilephone": "mobilephone.number",
    "phone": "homephone.number", "telephone": "homephone.number",
    "street": "homeaddress.street1", "city": "homeaddress.city", "zip": "homeaddress.postalcode",
    "zipcode": "homeaddress.postalcode", "postcode": "homeaddress.postalcode",
    "postalcode": "homeaddress.postalcode", "state": "homeaddress.stateprovince",
    "country": "homeaddress.country", "time": "timestamp", "eventtime": "timestamp",
    "createdat": "timestamp", "occurredat": "timestamp", "event": "eventtype",
    "eventname": "eventtype", "id": "_id", "eventid": "_id", "sku": "productlistitems.sku",
    "url": "web.webpagedetails.url", "pageurl": "web.webpagedetails.url",
    "orderid": "commerce.order.purchaseid", "total": "commerce.order.pricetotal",
    "amount": "commerce.order.pricetotal", "currency": "commerce.order.currencycode",
}  # fmt: skip
_FITS: Final = {
    "string": {"string", "integer", "number", "date", "date-time"},
    "number": {"number", "integer", "string"},
    "integer": {"integer", "string"},
    "boolean": {"boolean", "string", "integer"},
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A column and the field it probably belongs to; `confidence` is from 0 to 1."""

    source: str
    destination: str
    confidence: float


def suggest(
    columns: Iterable[tuple[str, str]],
    fields: Mapping[str, Field],
    known: Mapping[str, str],
) -> list[Suggestion]:
    """Suggest a field for each column, as (name, type), that probably has one.

    `known` are a source type's own names. A field is suggested once, for the column
    that fits it best.
    """
    targets = [field for field in fields.values() if _can_be_mapped(field)]
    known_lower = {name.lower(): path for name, path in known.items()}
    found = [
        best
        for name, kind in columns
        if (best := _best(name, kind, targets, fields, known_lower)) is not None
    ]
    found.sort(key=lambda each: -each.confidence)
    taken: set[str] = set()
    kept = []
    for each in found:
        if each.destination not in taken:
            taken.add(each.destination)
            kept.append(each)
    return kept


def _best(
    name: str,
    kind: str,
    targets: Sequence[Field],
    fields: Mapping[str, Field],
    known: Mapping[str, str],
) -> Suggestion | None:
    told = known.get(name.lower())
    if told in fields:
        return Suggestion(name, str(told), 1.0)
    plain = "".join(_words(name))
    usual = _SAME.get(plain)
    scored = [
        (_likeness(plain, usual, field), field.path)
        for field in targets
        if kind in _FITS.get(field.type, ()) or not kind
    ]
    score, path = max(scored, default=(0.0, ""), key=lambda each: (each[0], -len(each[1])))
    return Suggestion(name, path, round(score, 2)) if score >= _LEAST else None


def _likeness(plain: str, usual: str | None, field: Field) -> float:
    if usual and field.path.lower() == usual:
        return 0.95
    last = "".join(_words(field.name))
    if plain == last:
        return 0.9
    whole = "".join(_words(field.path))
    if plain == whole:
        return 0.95
    return 0.85 * SequenceMatcher(None, plain, last).ratio() if len(plain) > 3 else 0.0


def _can_be_mapped(field: Field) -> bool:
    return field.is_leaf and not field.array and not field.in_array and "*" not in field.path


def _words(name: str) -> list[str]:
    """Cut a name into words, however it is written.

    >>> _words("person.firstName_1")
    ['person', 'first', 'name', '1']
    """
    return [word.lower() for word in _WORDS.findall(name)]
