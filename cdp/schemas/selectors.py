"""What can be asked about schemas and their parts."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from cdp.errors import NotFound
from cdp.schemas import registries
from cdp.schemas.models import Component, Descriptor, ResourceVersion, Schema
from cdp.schemas.registry import catalogue, describing, unions
from cdp.schemas.registry.cache import Cache
from cdp.schemas.registry.definitions import Find
from cdp.schemas.registry.descriptors import Descriptor as Statement
from cdp.schemas.registry.descriptors import DescriptorKind
from cdp.schemas.registry.fields import Field, fields_of
from cdp.schemas.registry.names import NAMESPACE_ROOT
from cdp.schemas.registry.resolve import MAX_DEPTH, resolve
from cdp.schemas.registry.resources import Kind, Resource, references
from cdp.schemas.registry.validation import CompiledSchema, compile_schema
from cdp.tenancy.models import Sandbox

PROFILE_CLASS = catalogue.PROFILE_CLASS
EVENT_CLASS = catalogue.EVENT_CLASS

# What the platform itself writes about people, beside what their schemas say.
_SYSTEM_GROUPS = {
    PROFILE_CLASS: (catalogue.IDENTITY_MAP_GROUP, catalogue.SEGMENT_MEMBERSHIP_GROUP),
}

_compiled: Cache[CompiledSchema] = Cache(512)
_unions: Cache[Mapping[str, Field]] = Cache(128)


def list_schemas(sandbox: Sandbox) -> QuerySet[Schema]:
    """Return the sandbox's schemas."""
    return Schema.objects.for_sandbox(sandbox)


def get_schema(sandbox: Sandbox, key: str) -> Schema:
    """Return the schema of an id, `$id` or alternative id. Raises `NotFound`."""
    schema = list_schemas(sandbox).filter(_named(key)).first()
    if schema is None:
        raise NotFound(f"There is no schema '{key}' here.")
    return schema


def list_components(sandbox: Sandbox, kind: Kind) -> QuerySet[Component]:
    """Return the classes, field groups or data types that the sandbox has made or brought in."""
    return Component.objects.for_sandbox(sandbox).filter(kind=kind)


def find_component(sandbox: Sandbox, kind: Kind, key: str) -> Component | Resource | None:
    """Find a class, field group or data type by id, `$id` or alternative id."""
    for resource in catalogue.standard_resources().values():
        if resource.kind is kind and key in (resource.alt_id, resource.uri):
            return resource
    return list_components(sandbox, kind).filter(_named(key)).first()


def get_component(sandbox: Sandbox, kind: Kind, key: str) -> Component | Resource:
    """Return a class, field group or data type. Raises `NotFound`."""
    component = find_component(sandbox, kind, key)
    if component is None:
        raise NotFound(f"There is no {kind.noun} '{key}' here.")
    return component


def list_descriptors(sandbox: Sandbox) -> QuerySet[Descriptor]:
    """Return the sandbox's descriptors with their schemas."""
    return Descriptor.objects.for_sandbox(sandbox).select_related("schema", "destination")


def list_versions(sandbox: Sandbox, resource_id: str) -> QuerySet[ResourceVersion]:
    """Return what a schema or component has been, newest first."""
    versions = ResourceVersion.objects.for_sandbox(sandbox).filter(resource_id=resource_id)
    return versions.order_by("-version")


def finder(sandbox: Sandbox, *documents: Mapping[str, Any]) -> Find:
    """Load everything that the documents rest on, one query a level, and return the look-up."""
    standard = catalogue.standard_resources()
    loaded: dict[str, Resource] = {}
    asked: set[str] = set()
    wanted = set().union(*map(_mentioned, documents))
    for _ in range(MAX_DEPTH):
        wanted -= asked | standard.keys()
        if not wanted:
            break
        rows = Component.objects.for_sandbox(sandbox).filter(uri__in=wanted)
        asked |= wanted
        found = {row.uri: row.resource for row in rows}
        loaded |= found
        wanted = set().union(*(_mentioned(resource.document) for resource in found.values()))
    return lambda uri: standard.get(uri) or loaded.get(uri)


def statements_of(descriptors: Iterable[Descriptor]) -> list[Statement]:
    """Return stored descriptors as the registry sees them."""
    return [Statement(DescriptorKind(d.kind), tuple(d.paths), d.settings) for d in descriptors]


def compiled_schema(sandbox: Sandbox, schema_id: str) -> CompiledSchema:
    """Return a schema ready for records. Raises `NotFound`.

    Compiled once per version in each process; asking again costs one look-up of the version.
    """
    found = compiled_schemas(sandbox, [schema_id])
    if schema_id not in found:
        raise NotFound(f"There is no schema '{schema_id}' here.")
    return found[schema_id]


def compiled_schemas(sandbox: Sandbox, schema_ids: Iterable[str]) -> dict[str, CompiledSchema]:
    """Return those of the schemas that there are, by id, ready for records."""
    rows = list_schemas(sandbox).filter(pk__in=list(schema_ids))
    # The time is part of the key: a version that was rolled back comes again with other content.
    stamps = {pk: (sandbox.pk, pk, *stamp) for pk, *stamp in rows.values_list(*_STAMP)}
    found = {pk: schema for pk, stamp in stamps.items() if (schema := _compiled.find(stamp))}
    missing = stamps.keys() - found.keys()
    if missing:
        for row in rows.filter(pk__in=missing).prefetch_related("descriptors"):
            found[row.pk] = _compiled.keep(stamps[row.pk], _compile(row))
    return found


def union_fields(sandbox: Sandbox, class_id: str) -> Mapping[str, Field]:
    """Return the fields of all schemas of a class that Profile reads, by path.

    `class_id` is a `$id`, an alternative id or an id; `PROFILE_CLASS` and
    `EVENT_CLASS` are the usual ones. For people it has what the platform writes, too.
    """
    uri = class_uri(sandbox, class_id)
    stamps = list(union_members(sandbox, uri).order_by("pk").values_list(*_STAMP))
    key = (sandbox.pk, uri, *stamps)
    known = _unions.find(key)
    if known is None:
        members = compiled_schemas(sandbox, [pk for pk, *_ in stamps])
        fields = [members[pk].fields for pk in sorted(members)]
        known = _unions.keep(key, unions.join_fields([*fields, *_given_fields(sandbox, uri)]))
    return known if uri != PROFILE_CLASS else {**known, **_worked_out(sandbox)}


def union_members(sandbox: Sandbox, uri: str) -> QuerySet[Schema]:
    """Return the schemas of a class that Profile reads."""
    return list_schemas(sandbox).filter(class_uri=uri, profile_enabled_at__isnull=False)


def union_classes(sandbox: Sandbox) -> list[str]:
    """Return the `$id` of each class that has a union."""
    enabled = list_schemas(sandbox).filter(profile_enabled_at__isnull=False)
    return sorted(set(enabled.values_list("class_uri", flat=True)))


def class_uri(sandbox: Sandbox, key: str) -> str:
    """Return the `$id` of a class. Raises `NotFound`."""
    return get_component(sandbox, Kind.CLASS, key).uri


_STAMP = ("pk", "version", "updated_at")


def _compile(row: Schema) -> CompiledSchema:
    statements = statements_of(row.descriptors.all())
    fields = fields_of(row.resolved)
    return compile_schema(
        row.resolved,
        id=row.pk,
        version=f"1.{row.version}",
        class_uri=row.class_uri,
        behavior=row.behavior,
        fields=describing.described_fields(fields, statements),
        identities=describing.identities_of(fields, statements),
    )


def _worked_out(sandbox: Sandbox) -> dict[str, Field]:
    """Return what the apps above say of people, beside what schemas say."""
    sources = registries.profile_fields.entries().values()
    return {path: field for source in sources for path, field in source(sandbox).items()}


def _given_fields(sandbox: Sandbox, uri: str) -> list[Mapping[str, Field]]:
    """Return the fields that a union has whatever its schemas say."""
    klass = get_component(sandbox, Kind.CLASS, uri).document
    documents = [klass, *map(catalogue.standard_document, _SYSTEM_GROUPS.get(uri, ()))]
    find = finder(sandbox, klass)

    def lookup(ref: str) -> Mapping[str, Any] | None:
        resource = find(ref)
        return resource.document if resource else None

    return [fields_of(resolve(document, lookup)) for document in documents if document]


def _mentioned(document: Mapping[str, Any]) -> set[str]:
    return references(document) | set(document.get("meta:intendedToExtend", ()))


def _named(key: str) -> Q:
    """Match an id, a `$id`, or the `$id` that an alternative id stands for."""
    named = Q(pk=key) | Q(uri=key)
    if key.startswith("_"):
        named |= Q(uri=NAMESPACE_ROOT + key[1:].replace(".", "/"))
    return named
