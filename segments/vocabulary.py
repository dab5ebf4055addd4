"""The fields that rules of a sandbox may name, as the schemas describe them.

Those of people and of their events, and those of the look-up entities that they point
to: records of a schema that a relationship leads to, by its primary key or identity.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cdp.datasets.selectors import list_datasets
from cdp.schemas.registry.descriptors import DescriptorKind
from cdp.schemas.registry.fields import Field
from cdp.schemas.selectors import (
    EVENT_CLASS,
    PROFILE_CLASS,
    compiled_schemas,
    list_descriptors,
    union_fields,
)
from cdp.tenancy.models import Sandbox
from segments.language.vocabulary import Base, Entity, Kind, Known, Vocabulary
from segments.models import LookUp

_KINDS: Mapping[str, Kind] = {
    "string": "text",
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
    "object": "object",
    "map": "object",
}
_TEXT_FORMATS: Mapping[str, Kind] = {"date-time": "time", "date": "day"}
_LEADING = (DescriptorKind.RELATIONSHIP, DescriptorKind.ONE_TO_ONE)
_BASES: Mapping[str, Base] = {PROFILE_CLASS: "profile", EVENT_CLASS: "event"}


def vocabulary(sandbox: Sandbox) -> Vocabulary:
    """Return the words of the sandbox's rules."""
    return Vocabulary(
        profile=known_fields(union_fields(sandbox, PROFILE_CLASS)),
        event=known_fields(union_fields(sandbox, EVENT_CLASS)),
        entities={entity.id: entity for entity in _entities(sandbox)},
    )


@dataclass(frozen=True, slots=True)
class _Leading:
    """A relationship: from a field of people or events to records of a schema."""

    schema_id: str
    title: str
    key: str
    class_uri: str
    paths: Sequence[str]


def _entities(sandbox: Sandbox) -> list[Entity]:
    """Return what relationships lead to, and what rules look up since one did."""
    leading = _relationships(sandbox)
    titles = {each.schema_id: each.title for each in leading}
    noted = LookUp.objects.for_sandbox(sandbox).values_list("schema_id", "schema__title")
    titles |= dict(noted.distinct())
    if not titles:
        return []
    keys = _keys(sandbox, leading, titles)
    datasets: dict[str, list[str]] = defaultdict(list)
    rows = list_datasets(sandbox).filter(schema__in=titles).order_by("pk")
    for schema_id, pk in rows.values_list("schema_id", "pk"):
        datasets[schema_id].append(pk)
    compiled = compiled_schemas(sandbox, titles)
    found = (
        Entity(
            id=pk,
            title=title,
            key=keys.get(pk, ""),
            datasets=tuple(datasets[pk]),
            fields=known_fields(compiled[pk].fields),
            references=frozenset(_references(each for each in leading if each.schema_id == pk)),
        )
        for pk, title in titles.items()
    )
    return [entity for entity in found if _is_key(entity.fields.get(entity.key))]


def _relationships(sandbox: Sandbox) -> list[_Leading]:
    """Read what leads where, without the documents of the schemas."""
    rows = list_descriptors(sandbox).filter(kind__in=_LEADING, destination__isnull=False)
    return [
        _Leading(schema_id, title, settings.get("destination_path") or "", class_uri, paths)
        for schema_id, title, settings, class_uri, paths in rows.values_list(
            "destination_id", "destination__title", "settings", "schema__class_uri", "paths"
        )
    ]


def _keys(
    sandbox: Sandbox, leading: Iterable[_Leading], schemas: Collection[str]
) -> dict[str, str]:
    """Return the field by which each schema's records are found: named, or the only one it has."""
    found: dict[str, str] = {}
    kinds = (DescriptorKind.PRIMARY_KEY, DescriptorKind.IDENTITY)
    rows = list_descriptors(sandbox).filter(schema__in=schemas, kind__in=kinds)
    for schema_id, kind, paths, settings in rows.values_list(
        "schema_id", "kind", "paths", "settings"
    ):
        is_key = kind == DescriptorKind.PRIMARY_KEY and len(paths) == 1
        if is_key or (settings.get("primary") and schema_id not in found):
            found[schema_id] = paths[0]
    return found | {each.schema_id: each.key for each in leading if each.key}


def _references(leading: Iterable[_Leading]) -> Iterable[tuple[Base, str]]:
    """Yield the fields of people and events that lead somewhere."""
    for each in leading:
        if base := _BASES.get(each.class_uri):
            yield base, each.paths[0]


def _is_key(known: Known | None) -> bool:
    return known is not None and known.kind == "text" and not (known.array or known.in_array)


def known_fields(fields: Mapping[str, Field]) -> dict[str, Known]:
    """Return fields as rules know them."""
    return {
        path: Known(path, kind, field.array, field.in_array, field.labels)
        for path, field in fields.items()
        if (kind := _kind(field)) is not None
    }


def _kind(field: Field) -> Kind | None:
    """Return how a field's values compare; None where the schema leaves it open."""
    if field.type == "string":
        return _TEXT_FORMATS.get(field.format or "", "text")
    return _KINDS.get(field.type)
