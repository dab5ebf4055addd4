"""Making, changing and deleting classes, field groups and data types."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from cdp.schemas.errors import ResourceInUse, StandardResource, definition_refused
from cdp.schemas.models import Component, Schema
from cdp.schemas.registry.definitions import Find, check_definition
from cdp.schemas.registry.drafting import COLLECTIONS, Draft, draft_of
from cdp.schemas.registry.names import tenant_uri
from cdp.schemas.registry.problems import Refused, refuse_if
from cdp.schemas.registry.resolve import resolve
from cdp.schemas.registry.resources import Kind, Resource, references
from cdp.schemas.registry.validation import validator_of
from cdp.schemas.selectors import finder
from cdp.schemas.services import composing, versions
from cdp.schemas.services.holding import as_it_is_now, lock_schemas, take_turn
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.ids import new_id
from cdp.tenancy.models import Sandbox

PREFIXES = {Kind.CLASS: "cls", Kind.FIELD_GROUP: "fg", Kind.DATA_TYPE: "dt"}
SHOWN = 100


def create_component(
    *,
    actor: Actor,
    sandbox: Sandbox,
    kind: Kind,
    title: str,
    description: str = "",
    bases: Sequence[str] = (),
    classes: Sequence[str] = (),
    definition: Mapping[str, Any] | None = None,
) -> Component:
    """Make a class, field group or data type of the sandbox's own.

    `bases` are `$id`s: of the behavior or parent of a class. `classes` are those a
    field group is made for; none means all. Raises `DefinitionRefused`, `NameTaken`.
    """
    take_turn(sandbox)
    key = new_id(PREFIXES[kind])
    tenant = sandbox.organization.tenant_namespace
    draft = Draft(
        kind=kind,
        uri=tenant_uri(tenant, COLLECTIONS[kind], key),
        title=title,
        description=description,
        bases=tuple(bases),
        classes=tuple(classes),
        definition=definition or {},
    )
    document, _ = _checked(sandbox, draft)
    row = Component(
        pk=key,
        sandbox=sandbox,
        kind=kind,
        uri=draft.uri,
        title=title,
        description=description,
        document=document,
        references=sorted(references(document)),
    )
    _save(row, force_insert=True)
    versions.note_version(actor=actor, row=row)
    audit.record(
        actor=actor, action=f"{_noun(kind)}.created", target=row, after={"document": document}
    )
    return row


def change_component(*, actor: Actor, component: Component, **changes: Any) -> Component:
    """Change a component, and every schema that rests on it.

    Takes `title`, `description`, `classes`, and a `definition` to be merged. Raises
    `DefinitionRefused`, `ChangeRefused` if a schema in use may not change so,
    `StandardResource`, `NameTaken`.
    """
    refuse_imported(component)
    sandbox, kind = component.sandbox, Kind(component.kind)
    take_turn(sandbox)
    component = as_it_is_now(component)
    before = component.document
    draft = draft_of(before, kind).changed(**changes)
    document, find = _checked(sandbox, draft)
    if document == before:
        return component
    component.title, component.description = draft.title, draft.description
    component.document = document
    component.references = sorted(references(document))
    component.version += 1
    _spread(actor, component, find)
    _save(component)
    versions.note_version(actor=actor, row=component, before=before)
    audit.record(
        actor=actor,
        action=f"{_noun(kind)}.changed",
        target=component,
        before={"document": before},
        after={"document": document},
    )
    return component


def delete_component(*, actor: Actor, component: Component) -> None:
    """Delete a component that nothing refers to. Raises `ResourceInUse` with what does."""
    take_turn(component.sandbox)
    component = as_it_is_now(component)
    kind = Kind(component.kind)
    dependents = [
        {"type": model._meta.model_name, "id": row.pk, "name": str(row)}
        for model in (Component, Schema)
        for row in model.objects.for_sandbox(component.sandbox_id)
        .filter(references__contains=[component.uri])
        .order_by("pk")[:SHOWN]
    ]
    if dependents:
        raise ResourceInUse(
            f"The {kind.noun} is part of others; see `dependents`. Take it out of them first.",
            dependents,
        )
    audit.record(
        actor=actor,
        action=f"{_noun(kind)}.deleted",
        target=component,
        before={"document": component.document},
    )
    component.delete()


def refuse_imported(component: Component) -> None:
    """Refuse to edit a published standard. Raises `StandardResource`."""
    if component.imported:
        raise StandardResource(
            f"'{component.title}' is a published standard that was brought in. It is read-only; "
            "make a resource of your own that extends it."
        )


def _checked(sandbox: Sandbox, draft: Draft) -> tuple[dict[str, Any], Find]:
    """Return the document if it is sound by itself. Raises `DefinitionRefused`."""
    try:
        document = draft.document()
        find = _with(draft, document, finder(sandbox, document))
        tenant = sandbox.organization.tenant_namespace
        refuse_if(check_definition(draft.kind, document, tenant, find))
        validator_of(resolve(document, _lookup(find)))
    except Refused as refusal:
        raise definition_refused(refusal.problems) from refusal
    return document, find


def _with(draft: Draft, document: dict[str, Any], find: Find) -> Find:
    """Look a changed document up as it will be."""
    own = Resource(draft.kind, draft.uri, draft.title, document)
    return lambda uri: own if uri == draft.uri else find(uri)


def _lookup(find: Find) -> Any:
    def lookup(uri: str) -> Mapping[str, Any] | None:
        resource = find(uri)
        return resource.document if resource else None

    return lookup


def _spread(actor: Actor, component: Component, find: Find) -> None:
    """Put every schema that rests on the component together anew."""
    sandbox = component.sandbox
    resting = Schema.objects.for_sandbox(sandbox).filter(references__contains=[component.uri])
    schemas = lock_schemas(sandbox, resting.values_list("pk", flat=True))
    if not schemas:
        return
    others = finder(sandbox, *(schema.document for schema in schemas))

    def known(uri: str) -> Resource | None:
        return find(uri) if uri == component.uri else others(uri)

    changed = [
        composing.Recomposed(schema, composing.composed(schema.document, known))
        for schema in schemas
    ]
    noun = Kind(component.kind).noun
    reason = f"The {noun} '{component.title}' has changed to version 1.{component.version}."
    composing.apply(actor=actor, sandbox=sandbox, changed=changed, find=known, reason=reason)


def _save(row: Component, *, force_insert: bool = False) -> None:
    clean(row)
    try:
        with transaction.atomic():
            row.save(force_insert=force_insert)
    except IntegrityError as error:
        noun = Kind(row.kind).noun
        raise NameTaken(f"There is a {noun} '{row.title}' already.") from error


def _noun(kind: Kind) -> str:
    return kind.value.replace("-", "_")
