"""What the registry holds: documents of five kinds, each with a `$id`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cdp.schemas.registry.names import alt_id


class Kind(StrEnum):
    """What a resource is for."""

    BEHAVIOR = "behavior"
    CLASS = "class"
    FIELD_GROUP = "field-group"
    DATA_TYPE = "data-type"
    SCHEMA = "schema"

    @property
    def noun(self) -> str:
        """The kind in a sentence."""
        return self.value.replace("-", " ")


@dataclass(frozen=True)
class Resource:
    """One document of the registry; `standard` ones are the same for everybody."""

    kind: Kind
    uri: str
    title: str
    document: Mapping[str, Any]
    standard: bool = False

    @property
    def alt_id(self) -> str:
        """The `$id` without slashes."""
        return alt_id(self.uri)

    @property
    def description(self) -> str:
        """What it is for, in a sentence."""
        return str(self.document.get("description", ""))

    @property
    def intended_to_extend(self) -> tuple[str, ...]:
        """The classes a field group may join; none named means all."""
        return tuple(self.document.get("meta:intendedToExtend", ()))


def references(document: Mapping[str, Any]) -> set[str]:
    """Collect the `$id` of every other resource that a document refers to itself."""
    return {uri for uri in _targets(document) if uri}


def _targets(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        ref = node.get("$ref")
        if isinstance(ref, str):
            yield ref.partition("#")[0]
        for value in node.values():
            yield from _targets(value)
    elif isinstance(node, list):
        for value in node:
            yield from _targets(value)
