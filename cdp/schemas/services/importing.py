"""Schemas in from other organizations, other tools and the public XDM repository."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cdp.schemas.errors import DefinitionRefused, definition_refused
from cdp.schemas.models import Component, ResourceVersion, Schema
from cdp.schemas.registry.catalogue import standard_resources
from cdp.schemas.registry.composing import compose
from cdp.schemas.registry.definitions import Find, check_definition
from cdp.schemas.registry.descriptor_form import from_xdm_form, is_descriptor
from cdp.schemas.registry.exchange import localised
from cdp.schemas.registry.importing import Check, read_documents
from cdp.schemas.registry.names import NAMESPACE_ROOT
from cdp.schemas.registry.problems import Problem, Refused, refuse_if
from cdp.schemas.registry.resources import Kind, Resource, references
from cdp.schemas.selectors import finder
from cdp.schemas.services.components import PREFIXES
from cdp.schemas.services.descriptors import create_descriptor
from cdp.schemas.services.holding import take_turn
from cdp.schemas.services.schemas import store_schema
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.ids import new_id
from cdp.tenancy.models import Sandbox

Named = Iterable[tuple[str, Any]]


@dataclass
class ImportReport:
    """What an import did: rows made, ids that were there already, documents refused."""

    created: list[Component | Schema] = field(default_factory=list)
    descriptors: int = 0
    known: list[str] = field(default_factory=list)
    failures: dict[str, tuple[Problem, ...]] = field(default_factory=dict)


def import_documents(
    *, actor: Actor, sandbox: Sandbox, documents: Named, partial: bool = False
) -> ImportReport:
    """Bring documents in, each given with a name for the report.

    Resources under the tenant's own namespace become its own, all others published
    standards, which are read-only. What the catalogue has is passed over. Unless
    `partial`, everything comes in or nothing: raises `DefinitionRefused` with every
    failure.
    """
    take_turn(sandbox)
    tenant = sandbox.organization.tenant_namespace
    ours = [(name, localised(d, tenant) if isinstance(d, dict) else d) for name, d in documents]
    resources = [(name, document) for name, document in ours if not is_descriptor(document)]
    find = finder(sandbox, *_mentioning(resources))
    reading = read_documents(resources, find, _checks(sandbox, resources))
    report = ImportReport(known=reading.known, failures=reading.failures)
    if not partial:
        report.failures |= _clashes(reading.known)
    _stop_at_failures(report, partial)

    taken = {resource.uri: resource for resource in reading.resources}
    _store_components(actor, sandbox, taken.values(), report)
    _store_schemas(actor, sandbox, taken, find, report)
    _describe(actor, [each for each in ours if is_descriptor(each[1])], report)
    _stop_at_failures(report, partial)
    audit.record(
        actor=actor,
        action="schemas.imported",
        target=sandbox,
        sandbox=sandbox,
        after={"created": [row.uri for row in report.created], "failed": sorted(report.failures)},
    )
    return report


def _mentioning(resources: Named) -> list[Mapping[str, Any]]:
    """Return documents that name every `$id` and every reference of the resources."""
    plain = [document for _, document in resources if isinstance(document, Mapping)]
    return [*plain, {"allOf": [{"$ref": str(document.get("$id"))} for document in plain]}]


def _checks(sandbox: Sandbox, resources: Named) -> Check:
    """Make the check of what an import may not bring, beside what cannot be read at all."""
    tenant = sandbox.organization.tenant_namespace
    plain = [document for _, document in resources if isinstance(document, Mapping)]
    components = Component.objects.for_sandbox(sandbox).filter(
        title__in=[str(document.get("title")) for document in plain], imported=False
    )
    schemas = Schema.objects.for_sandbox(sandbox)
    taken = {(Kind(kind), title) for kind, title in components.values_list("kind", "title")}
    taken |= {(Kind.SCHEMA, title) for title in schemas.values_list("title", flat=True)}
    uris = set(schemas.values_list("uri", flat=True))

    def check(resource: Resource, find: Find) -> Iterator[Problem]:
        own = _is_own(resource, tenant)
        if resource.uri in uris:
            yield _clash(resource.uri)
        elif (own or resource.kind is Kind.SCHEMA) and (resource.kind, resource.title) in taken:
            detail = f"There is a {resource.kind.noun} '{resource.title}' here already."
            yield Problem("title-clash", detail)
        if own:
            taken.add((resource.kind, resource.title))
            yield from check_definition(resource.kind, resource.document, tenant, find)

    return check


def _clashes(known: Iterable[str]) -> dict[str, tuple[Problem, ...]]:
    """Name what the sandbox has already, other than the catalogue."""
    return {uri: (_clash(uri),) for uri in known if uri not in standard_resources()}


def _clash(uri: str) -> Problem:
    return Problem("id-clash", f"There is a resource with the $id {uri} here already.")


def _stop_at_failures(report: ImportReport, partial: bool) -> None:
    if report.failures and not partial:
        raise definition_refused(
            Problem(problem.rule, f"{name}: {problem.detail}", problem.path)
            for name, problems in report.failures.items()
            for problem in problems
        )


def _store_components(
    actor: Actor, sandbox: Sandbox, resources: Iterable[Resource], report: ImportReport
) -> None:
    """Store classes, field groups and data types, all at once."""
    tenant = sandbox.organization.tenant_namespace
    rows = [
        Component(
            pk=new_id(PREFIXES[resource.kind]),
            sandbox=sandbox,
            kind=resource.kind,
            uri=resource.uri,
            title=resource.title[:255],
            description=resource.description[:10_000],
            document=resource.document,
            references=sorted(references(resource.document)),
            imported=not _is_own(resource, tenant),
        )
        for resource in resources
        if resource.kind in PREFIXES
    ]
    history = [
        ResourceVersion(
            sandbox=sandbox,
            resource_id=row.pk,
            version=row.version,
            document=row.document,
            changes=[],
            reason="Imported.",
            actor_name=actor.name[:255],
        )
        for row in rows
    ]
    Component.objects.bulk_create(rows, batch_size=200)
    ResourceVersion.objects.bulk_create(history, batch_size=200)
    report.created.extend(rows)


def _store_schemas(
    actor: Actor,
    sandbox: Sandbox,
    taken: Mapping[str, Resource],
    find: Find,
    report: ImportReport,
) -> None:
    def known(uri: str) -> Resource | None:
        return taken.get(uri) or find(uri)

    for resource in taken.values():
        if resource.kind is Kind.SCHEMA:
            row = Schema(sandbox=sandbox, uri=resource.uri, document=resource.document)
            composition = compose(resource.document, known)
            report.created.append(store_schema(actor=actor, row=row, composition=composition))


def _describe(actor: Actor, said: Named, report: ImportReport) -> None:
    """Add the descriptors of the schemas that have just come in, keys before references."""
    made = {row.uri: row for row in report.created if isinstance(row, Schema)}
    for name, document in sorted(said, key=lambda each: "xdm:destinationSchema" in each[1]):
        try:
            _describe_one(actor, document, made)
        except Refused as refusal:
            report.failures[name] = refusal.problems
        except DefinitionRefused as refusal:
            report.failures[name] = tuple(
                Problem(error["code"], error["detail"], error["path"]) for error in refusal.errors
            )
        else:
            report.descriptors += 1


def _describe_one(actor: Actor, document: Mapping[str, Any], made: Mapping[str, Schema]) -> None:
    uri, statement = from_xdm_form(document)
    far = statement.settings.get("destination_schema")
    for wanted in (uri, far):
        if wanted is not None and wanted not in made:
            detail = f"A descriptor names the schema {wanted}, which does not come with it."
            refuse_if([Problem("unknown-reference", detail, statement.path)])
    create_descriptor(
        actor=actor,
        schema=made[uri],
        kind=statement.kind,
        paths=statement.paths,
        destination=made[far] if far else None,
        **{name: v for name, v in statement.settings.items() if name != "destination_schema"},
    )


def _is_own(resource: Resource, tenant: str) -> bool:
    return resource.uri.startswith(f"{NAMESPACE_ROOT}{tenant}/")
