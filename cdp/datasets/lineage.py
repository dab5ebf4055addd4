"""Where the data of people comes from: the datasets behind a field, with their labels."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from django.db.models import Q

from cdp.datasets.models import Dataset
from cdp.datasets.selectors import list_datasets
from cdp.schemas.registry.fields import Field
from cdp.schemas.selectors import EVENT_CLASS, PROFILE_CLASS, compiled_schemas
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from governance.evaluation import Node


@dataclass(frozen=True, slots=True)
class Carrier:
    """A dataset that brings a field, and every label that the field has there."""

    dataset: Node
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Source:
    dataset: Dataset
    class_uri: str
    fields: Mapping[str, Field]

    @property
    def feeds_profiles(self) -> bool:
        return self.dataset.profile_enabled

    def carrier(self, field: Field) -> Carrier:
        own = frozenset(self.dataset.labels)
        node = Node("dataset", self.dataset.pk, self.dataset.name, own)
        return Carrier(node, labels_in(self.dataset, field))


@dataclass(frozen=True, slots=True)
class Sources:
    """The datasets that feed a sandbox's profiles, and those that rules look things up in."""

    sources: tuple[_Source, ...]

    @classmethod
    def of(
        cls, sandbox: Sandbox, looked_up: Collection[str] = (), *, enabled_only: bool = True
    ) -> Self:
        """Read them, in two queries besides those that compile a new schema.

        `looked_up` are the schemas of look-up entities. Without `enabled_only` also those
        that feed profiles no more, or never did.
        """
        wanted = Q(profile_enabled_at__isnull=False) | Q(schema__in=looked_up)
        rows = list_datasets(sandbox)
        datasets = list(rows.filter(wanted) if enabled_only else rows)
        schemas = compiled_schemas(sandbox, {dataset.schema_id for dataset in datasets})
        return cls(
            tuple(
                _Source(dataset, schema.class_uri, schema.fields)
                for dataset in datasets
                if (schema := schemas.get(dataset.schema_id)) is not None
            )
        )

    def of_attribute(self, path: str) -> Iterator[Carrier]:
        """Yield the datasets that bring an attribute of people."""
        yield from self._carriers(PROFILE_CLASS, path)

    def of_event(self, path: str) -> Iterator[Carrier]:
        """Yield the datasets that bring a field of events."""
        yield from self._carriers(EVENT_CLASS, path)

    def of_entity(self, schema_id: str, path: str) -> Iterator[Carrier]:
        """Yield the datasets that bring a field of a look-up entity."""
        for source in self.sources:
            field = field_at(source.fields, path) if source.dataset.schema_id == schema_id else None
            if field is not None:
                yield source.carrier(field)

    def every_field(self, class_uri: str) -> Iterator[tuple[Field, Carrier]]:
        """Yield each field of a class with each dataset that brings it."""
        for source in self.sources:
            if source.class_uri == class_uri:
                for field in source.fields.values():
                    yield field, source.carrier(field)

    def unseen_by(self, actor: Actor) -> frozenset[str]:
        """Return the datasets that have a field which an actor may not see."""
        return frozenset(
            source.dataset.pk
            for source in self.sources
            if not all(actor.may_see(source.carrier(one).labels) for one in source.fields.values())
        )

    def of_identity(self, namespace: str) -> Iterator[tuple[str, Carrier]]:
        """Yield the fields that are identities of a namespace, with their datasets."""
        for source in self.sources:
            for field in source.fields.values():
                if source.feeds_profiles and field.namespace == namespace:
                    yield field.path, source.carrier(field)

    def _carriers(self, class_uri: str, path: str) -> Iterator[Carrier]:
        for source in self.sources:
            matters = source.feeds_profiles and source.class_uri == class_uri
            field = field_at(source.fields, path) if matters else None
            if field is not None:
                yield source.carrier(field)


def labels_in(dataset: Dataset, field: Field) -> frozenset[str]:
    """Return every label that a field has in a dataset: its own, the dataset's, those put there."""
    put_there = {
        label
        for path, labels in dataset.field_labels.items()
        if field.path == path or field.path.startswith(f"{path}.")
        for label in labels
    }
    return field.labels | put_there | frozenset(dataset.labels)


def field_at(fields: Mapping[str, Field], path: str) -> Field | None:
    """Return the field at a path; a name below a map finds the map's values."""
    if path in fields:
        return fields[path]
    parts = path.split(".")
    for place in range(1, len(parts)):
        key = ".".join([*parts[:place], "*", *parts[place + 1 :]])
        if key in fields:
            return fields[key]
    return None
