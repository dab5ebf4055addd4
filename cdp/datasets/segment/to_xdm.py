"""From a tracker's message to an XDM record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cdp.datasets.mapping.convert import converted, rfc3339, written
from cdp.datasets.mapping.errors import RowInvalid
from cdp.datasets.segment.default import compile_section, effective
from cdp.datasets.segment.identities import identity_map
from cdp.errors import FieldError
from cdp.schemas.registry.fields import Field

_OF_KIND: Final = {
    "page": "web.webpagedetails.pageViews",
    "screen": "application.screenViews",
}
_FREE: Final = ("object", "map", "any")


@dataclass(frozen=True, slots=True)
class Mapped:
    """A record with everything that went wrong on the way."""

    record: dict[str, Any]
    errors: list[FieldError]


class EventMapping:
    """Makes events of messages, for one schema and one inlet's settings."""

    def __init__(
        self, settings: Mapping[str, Any], fields: Mapping[str, Field], tenant: str
    ) -> None:
        given = effective(settings)
        self._event_types: dict[str, str] = given["event_types"]
        self._namespaces: dict[str, str] = given["namespaces"]
        self._common = compile_section(given["event"], fields)
        self._by_kind = {
            kind: compile_section(given[kind], fields) for kind in ("track", "page", "screen")
        }
        self._products = compile_section(given["products"], fields)
        self._own = OwnFields(fields, tenant, "properties")

    def apply(self, message: dict[str, Any], at: datetime) -> Mapped:
        """Map a message that happened at this moment."""
        record, errors = self._common.apply(message, now=at)
        parts = [self._by_kind.get(message["type"])]
        for part in filter(None, parts):
            more, wrong = part.apply(message, now=at)
            merge(record, more)
            errors += wrong
        if message["type"] == "track":
            errors += self._add_products(record, message["properties"], at)
        errors += self._own.add(record, message["properties"])
        record["timestamp"] = rfc3339(at)
        record["eventType"] = self._event_type(message)
        record["identityMap"] = identity_map(message, self._namespaces)
        if message.get("messageId"):
            record["_id"] = str(message["messageId"])
        return Mapped(record, errors)

    def _event_type(self, message: dict[str, Any]) -> str:
        kind = str(message["type"])
        if kind != "track":
            return _OF_KIND.get(kind, kind)
        name = str(message.get("event") or "track")
        return self._event_types.get(name, name)

    def _add_products(
        self, record: dict[str, Any], properties: dict[str, Any], at: datetime
    ) -> list[FieldError]:
        products = properties.get("products")
        if products is None and (properties.get("sku") or properties.get("product_id")):
            products = [properties]
        if not isinstance(products, list):
            return []
        items, errors = [], []
        currency = properties.get("currency")
        for product in products:
            if isinstance(product, dict):
                given = {"currency": currency, **product} if currency else product
                mapped, wrong = self._products.apply(given, now=at)
                items += mapped.get("productListItems", [])
                errors += wrong
        if items:
            record["productListItems"] = items
        return errors


class PersonMapping:
    """Makes partial profile records of identify, group and alias messages."""

    def __init__(
        self, settings: Mapping[str, Any], fields: Mapping[str, Field], tenant: str
    ) -> None:
        given = effective(settings)
        self._namespaces: dict[str, str] = given["namespaces"]
        self._person = compile_section(given["person"], fields)
        self._own = OwnFields(fields, tenant, "traits")
        self._group = OwnFields(fields, tenant, "groupTraits")

    def apply(self, message: dict[str, Any], at: datetime) -> Mapped:
        """Map a message that happened at this moment."""
        record: dict[str, Any] = {}
        errors: list[FieldError] = []
        if message["type"] == "identify":
            record, errors = self._person.apply(message, now=at)
            errors += self._own.add(record, message["traits"])
        elif message["type"] == "group":
            own = {"groupId": message.get("groupId"), **message["traits"]}
            errors += self._group.add(record, own)
        record["identityMap"] = identity_map(message, self._namespaces)
        return Mapped(record, errors)


class OwnFields:
    """The tenant's own fields that have the name of a property, and a place for the others.

    Names are compared without capitals, blanks, `_` and `-`. What fits no field goes
    to the free object `_tenant.<place>`, if the schema has one, and else is left out.
    """

    def __init__(self, fields: Mapping[str, Field], tenant: str, place: str) -> None:
        self._tenant = tenant
        prefix = f"{tenant}."
        own = [
            field
            for path, field in fields.items()
            if path.startswith(prefix) and "." not in path.removeprefix(prefix)
        ]
        self._by_name = {_plain(field.name): field for field in own if field.is_leaf}
        self._free = next((f.name for f in own if f.name == place and f.type in _FREE), None)

    def add(self, record: dict[str, Any], given: Mapping[str, Any]) -> list[FieldError]:
        """Write the values into the tenant's part of the record; return what does not fit."""
        errors: list[FieldError] = []
        values: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for name, value in given.items():
            field = self._by_name.get(_plain(name))
            if value is None:
                continue
            if field is None:
                rest[name] = value
                continue
            try:
                values[field.name] = converted(value, field)
            except RowInvalid as error:
                errors.append(FieldError(path=field.path, code="mapping_failed", detail=str(error)))
        if self._free and rest:
            values[self._free] = written(rest)
        if values:
            merge(record, {self._tenant: values})
        return errors


def merge(record: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put the fields of one record into another; the later ones win.

    >>> record = {"a": {"b": 1}}
    >>> merge(record, {"a": {"c": 2}})
    >>> record
    {'a': {'b': 1, 'c': 2}}
    """
    for name, value in more.items():
        known = record.get(name)
        if isinstance(known, dict) and isinstance(value, dict):
            merge(known, value)
        else:
            record[name] = value


def _plain(name: str) -> str:
    return "".join(char for char in name.lower() if char not in " _-")
