"""The fields that rules of a sandbox may name, as the schemas describe them.

Those of people and of their events, and those of the look-up entities that they point
to: records of a schema that a relationship leads to, by its primary key or identity.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from cdp.datasets.selectors import list_datasets
from cdp.schemas.models import Descriptor
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


def _entities(sandbox: Sandbox) -> list[Entity]:
    """Return what relationships lead to, and what rules look up since one did."""
    leading = list(list_descriptors(sandbox).filter(kind__in=_LEADING, destination__isnull=False))
    schemas = {row.destination_id: row.destination for row in leading if row.destination}
    for row in LookUp.objects.for_sandbox(sandbox).select_related("schema"):
        schemas.setdefault(row.schema_id, row.schema)
    if not schemas:
        return []
    keys = _keys(sandbox, leading, schemas)
    datasets: dict[str, list[str]] = defaultdict(list)
    rows = list_datasets(sandbox).filter(schema__in=schemas).order_by("pk")
    for schema_id, pk in rows.values_list("schema_id", "pk"):
        datasets[schema_id].append(pk)
    compiled = compiled_schemas(sandbox, schemas)
    found = (
        Entity(
            id=pk,
            title=schema.title,
            key=keys.get(pk, ""),
            datasets=tuple(datasets[pk]),
            fields=known_fields(compiled[pk].fields),
            references=frozenset(_references(row for row in leading if row.destination_id == pk)),
        )
        for pk, schema in schemas.items()
    )
    return [entity for entity in found if _is_key(entity.fields.get(entity.key))]


def _keys(
    sandbox: Sandbox, leading: Iterable[Descriptor], schemas: Collection[str]
) -> dict[str, str]:
    """Return the field by which each schema's records are found: named, or the only one it has."""
    found: dict[str, str] = {}
    kinds = (DescriptorKind.PRIMARY_KEY, DescriptorKind.IDENTITY)
    for row in list_descriptors(sandbox).filter(schema__in=schemas, kind__in=kinds):
        is_key = row.kind == DescriptorKind.PRIMARY_KEY and len(row.paths) == 1
        if is_key or (row.settings.get("primary") and row.schema_id not in found):
            found[row.schema_id] = row.path
    for row in leading:
        if row.destination_id and (named := row.settings.get("destination_path")):
            found[row.destination_id] = named
    return found


def _references(leading: Iterable[Descriptor]) -> Iterable[tuple[Base, str]]:
    """Yield the fields of people and events that lead somewhere."""
    for row in leading:
        if base := _BASES.get(row.schema.class_uri):
            yield base, row.path


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
