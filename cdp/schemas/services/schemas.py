"""Making, changing and deleting schemas, and opening them for Profile."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from cdp.errors import Conflict
from cdp.schemas.dependents import dependents_of
from cdp.schemas.errors import ResourceInUse, change_refused, definition_refused
from cdp.schemas.models import Schema
from cdp.schemas.registry.composing import Composition
from cdp.schemas.registry.definitions import Find, check_definition
from cdp.schemas.registry.drafting import COLLECTIONS, Draft, draft_of
from cdp.schemas.registry.names import tenant_uri
from cdp.schemas.registry.problems import Problem, Refused, refuse_if
from cdp.schemas.registry.resources import Kind
from cdp.schemas.selectors import compiled_schema, finder
from cdp.schemas.services import composing, versions
from cdp.schemas.services.holding import as_it_is_now, take_turn
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.ids import new_id
from cdp.tenancy.models import Sandbox


def create_schema(
    *,
    actor: Actor,
    sandbox: Sandbox,
    title: str,
    class_uri: str,
    field_groups: Sequence[str] = (),
    description: str = "",
    definition: Mapping[str, Any] | None = None,
) -> Schema:
    """Make a schema of a class and field groups, all given by `$id`.

    `definition` holds fields of the schema's own, under the tenant's root. Raises
    `DefinitionRefused`, naming each broken rule, and `NameTaken`.
    """
    take_turn(sandbox)
    key = new_id("sch")
    draft = Draft(
        kind=Kind.SCHEMA,
        uri=tenant_uri(sandbox.organization.tenant_namespace, COLLECTIONS[Kind.SCHEMA], key),
        title=title,
        description=description,
        bases=(class_uri, *dict.fromkeys(field_groups)),
        definition=definition or {},
    )
    document, find = _checked(sandbox, draft)
    return store_schema(
        actor=actor,
        row=Schema(pk=key, sandbox=sandbox, uri=draft.uri, document=document),
        composition=composing.composed(document, find),
    )


def store_schema(*, actor: Actor, row: Schema, composition: Composition) -> Schema:
    """Store a new schema that has been composed. Raises `NameTaken`."""
    row.title = row.document["title"]
    row.description = row.document.get("description", "")
    row.class_uri = composition.class_uri
    row.behavior = composition.behavior
    row.resolved = composition.resolved
    row.references = sorted(composition.references)
    _save(row)
    versions.note_version(actor=actor, row=row)
    audit.record(actor=actor, action="schema.created", target=row, after={"document": row.document})
    return row


def change_schema(
    *,
    actor: Actor,
    schema: Schema,
    field_groups: Sequence[str] | None = None,
    definition: Mapping[str, Any] | None = None,
    **words: str,
) -> Schema:
    """Change a schema's `title`, `description`, field groups or own fields.

    `field_groups` replaces the list; `definition` is merged, so that `null` removes.
    Raises `DefinitionRefused`; `ChangeRefused` if the schema is in use and would not
    take what it took before; `NameTaken`.
    """
    sandbox = schema.sandbox
    take_turn(sandbox)
    schema = as_it_is_now(schema)
    before = schema.document
    draft = draft_of(before, Kind.SCHEMA)
    bases = None if field_groups is None else (schema.class_uri, *dict.fromkeys(field_groups))
    draft = draft.changed(definition, bases=bases, **words)
    document, find = _checked(sandbox, draft)
    if document == before:
        return schema
    schema.document, schema.title, schema.description = document, draft.title, draft.description
    clean(schema)
    changed = [composing.Recomposed(schema, composing.composed(document, find))]
    try:
        with transaction.atomic():
            composing.apply(actor=actor, sandbox=sandbox, changed=changed, find=find, reason="")
    except IntegrityError as error:
        raise NameTaken(f"There is a schema '{schema.title}' already.") from error
    audit.record(
        actor=actor,
        action="schema.changed",
        target=schema,
        before={"document": before},
        after={"document": document},
    )
    return schema


def enable_for_profile(
    *, actor: Actor, schema: Schema, identity_map_primary: bool = False
) -> Schema:
    """Let the schema's records into profiles, for good.

    It needs a primary identity, or `identity_map_primary`: the promise that every
    record marks one in its `identityMap`. Raises `ChangeRefused` with the rule.
    """
    sandbox = schema.sandbox
    take_turn(sandbox)
    schema = as_it_is_now(schema)
    if schema.profile_enabled:
        return schema
    compiled = compiled_schema(sandbox, schema.pk)
    has_primary = any(identity.primary for identity in compiled.identities)
    if not has_primary and not (identity_map_primary and compiled.has_identity_map):
        detail = (
            f"'{schema.title}' has no primary identity. Add an identity descriptor that is primary"
        )
        detail += (
            ", or say `identity_map_primary` if every record marks one in its identityMap."
            if compiled.has_identity_map
            else ", or the field group IdentityMap, and say `identity_map_primary`."
        )
        raise change_refused([Problem("primary-identity", detail)])
    composition = composing.composed(schema.document, finder(sandbox, schema.document))
    conflicts = list(composing.union_conflicts(sandbox, schema, composition))
    if conflicts:
        raise change_refused(conflicts)
    schema.profile_enabled_at = timezone.now()
    schema.identity_map_primary = not has_primary
    schema.version += 1
    schema.save()
    versions.note_version(actor=actor, row=schema, reason="Enabled for Profile.")
    audit.record(actor=actor, action="schema.enabled_for_profile", target=schema)
    return schema


def delete_schema(*, actor: Actor, schema: Schema) -> None:
    """Delete a schema that nothing stands on. Raises `ResourceInUse` with what does."""
    take_turn(schema.sandbox)
    schema = as_it_is_now(schema)
    if schema.profile_enabled:
        raise Conflict(
            "The schema is enabled for Profile, which is for good.", code="profile_enabled"
        )
    dependents = dependents_of(schema.sandbox, schema)
    if dependents:
        raise ResourceInUse("Something stands on the schema; see `dependents`.", dependents)
    audit.record(
        actor=actor, action="schema.deleted", target=schema, before={"document": schema.document}
    )
    schema.delete()


def _checked(sandbox: Sandbox, draft: Draft) -> tuple[dict[str, Any], Find]:
    try:
        document = draft.document()
        find = finder(sandbox, document)
        tenant = sandbox.organization.tenant_namespace
        refuse_if(check_definition(draft.kind, document, tenant, find))
    except Refused as refusal:
        raise definition_refused(refusal.problems) from refusal
    return document, find


def _save(row: Schema) -> None:
    clean(row)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken(f"There is a schema '{row.title}' already.") from error
