"""Whose event a record is, roughly: enough to put one person's events beside each other."""

from collections.abc import Callable, Mapping
from typing import Any

from cdp.datasets.records import DatasetFacts

KeyOf = Callable[[Mapping[str, Any]], str]


def sender_of(dataset: DatasetFacts | None) -> KeyOf:
    """Return what names an event's sender; rows of record datasets have one key, and their order.

    Only a hint: the identity graph decides who somebody is. It is the identity that calls
    itself primary, else the first one named, else that of the schema's identity fields.
    """
    if dataset is None or not dataset.is_events:
        return lambda record: ""
    paths = [
        each.path.split(".")
        for each in sorted(dataset.schema.identities, key=lambda each: not each.primary)
    ]

    def read(record: Mapping[str, Any]) -> str:
        return _in_map(record.get("identityMap")) or _in_fields(record, paths)

    return read


def _in_map(identity_map: Any) -> str:
    first = ""
    if isinstance(identity_map, dict):
        for items in identity_map.values():
            for item in items if isinstance(items, list) else ():
                if not isinstance(item, dict):
                    continue
                value = str(item.get("id") or "")
                if item.get("primary") is True:
                    return value
                first = first or value
    return first


def _in_fields(record: Mapping[str, Any], paths: list[list[str]]) -> str:
    for path in paths:
        value: Any = record
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str | int):
            return str(value)
    return ""
