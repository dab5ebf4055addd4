"""Saying something about a field: identities, labels, references, keys."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cdp.schemas import registries
from cdp.schemas.errors import TooManyDescriptors, change_refused, definition_refused
from cdp.schemas.models import Descriptor, Schema
from cdp.schemas.registry import suggest
from cdp.schemas.registry.descriptors import (
    MAX_PER_SANDBOX,
    Described,
    DescriptorKind,
    check_descriptor,
    check_destination_schema,
)
from cdp.schemas.registry.descriptors import Descriptor as Statement
from cdp.schemas.registry.problems import Problem
from cdp.schemas.selectors import compiled_schema, statements_of
from cdp.schemas.services import versions
from cdp.schemas.services.holding import as_it_is_now, take_turn
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from governance.evaluation import Node
from governance.selectors import require_labels
from governance.services.decisions import require_standing_uses

_NAMES_A_NAMESPACE = (DescriptorKind.IDENTITY, DescriptorKind.REFERENCE_IDENTITY)


def create_descriptor(
    *,
    actor: Actor,
    schema: Schema,
    kind: DescriptorKind,
    paths: Sequence[str],
    destination: Schema | None = None,
    **settings: Any,
) -> Descriptor:
    """Add a descriptor to a schema.

    `destination` is the schema that a reference leads to. Raises `DefinitionRefused`
    with the broken rules, `ChangeRefused` where Profile relies on what is said now,
    `TooManyDescriptors`, and `UseRefused` if a label would forbid a live use.
    """
    take_turn(schema.sandbox)
    schema = as_it_is_now(schema)
    total = Descriptor.objects.for_sandbox(schema.sandbox).order_by()[:MAX_PER_SANDBOX].count()
    if total >= MAX_PER_SANDBOX:
        raise TooManyDescriptors(f"A sandbox has at most {MAX_PER_SANDBOX:,} descriptors.")
    row = Descriptor(
        schema=schema,
        sandbox=schema.sandbox,
        kind=kind,
        paths=[dotted(path) for path in paths],
        destination=destination,
        settings=_settings(destination, settings),
    )
    _check(row)
    if row.settings.get("primary"):
        _refuse_if_profile_relies(schema, row)
    row.save(force_insert=True)
    audit.record(actor=actor, action="descriptor.created", target=row, after=_facts(row))
    _note(actor, row, "added")
    return row


def change_descriptor(*, actor: Actor, descriptor: Descriptor, **settings: Any) -> Descriptor:
    """Change what a descriptor says; its schema, kind and fields stay. Raises as creating does."""
    take_turn(descriptor.sandbox)
    descriptor = as_it_is_now(descriptor)
    schema = descriptor.schema = as_it_is_now(descriptor.schema)
    before = _facts(descriptor)
    was_primary = descriptor.settings.get("primary")
    descriptor.settings = descriptor.settings | settings
    if descriptor.settings == before["settings"]:
        return descriptor
    _check(descriptor)
    if was_primary or descriptor.settings.get("primary"):
        _refuse_if_profile_relies(schema, descriptor)
    descriptor.save()
    audit.record(
        actor=actor,
        action="descriptor.changed",
        target=descriptor,
        before=before,
        after=_facts(descriptor),
    )
    _note(actor, descriptor, "changed")
    return descriptor


def delete_descriptor(*, actor: Actor, descriptor: Descriptor) -> None:
    """Take a descriptor back. Raises `ChangeRefused` if Profile relies on it."""
    take_turn(descriptor.sandbox)
    descriptor = as_it_is_now(descriptor)
    schema = descriptor.schema = as_it_is_now(descriptor.schema)
    if descriptor.settings.get("primary"):
        _refuse_if_profile_relies(schema, descriptor)
    audit.record(
        actor=actor, action="descriptor.deleted", target=descriptor, before=_facts(descriptor)
    )
    _note(actor, descriptor, "deleted", deleting=True)
    descriptor.delete()


def dotted(path: str) -> str:
    """Write a path with dots, however it came.

    >>> dotted("/personalEmail/address")
    'personalEmail.address'
    """
    return path.strip("/").replace("/", ".") if path.startswith("/") else path


def described(schema: Schema, *, without: Descriptor | None = None) -> Described:
    """Return a schema with what is said of it already, as the registry sees it."""
    compiled = compiled_schema(schema.sandbox, schema.pk)
    others = Descriptor.objects.for_sandbox(schema.sandbox).filter(schema=schema)
    if without is not None:
        others = others.exclude(pk=without.pk)
    return Described(
        class_uri=schema.class_uri,
        behavior=schema.behavior,
        tenant=schema.sandbox.organization.tenant_namespace,
        fields=compiled.fields,
        others=statements_of(others),
    )


def _check(row: Descriptor) -> None:
    """Run every rule of the descriptor's kind. Raises `DefinitionRefused`."""
    clean(row)
    kind = DescriptorKind(row.kind)
    statement = Statement(kind, tuple(row.paths), row.settings)
    problems = list(check_descriptor(statement, described(row.schema, without=row)))
    if row.destination is not None:
        far = described(row.destination)
        problems += check_destination_schema(statement, far, row.destination.title)
    if not problems and kind in _NAMES_A_NAMESPACE:
        problems += _unknown_namespace(row)
    if problems:
        raise definition_refused(problems)
    if kind is DescriptorKind.LABEL:
        require_labels(row.sandbox, row.settings["labels"])


def _unknown_namespace(row: Descriptor) -> Iterator[Problem]:
    code = row.settings["namespace"]
    sources = registries.identity_namespaces.entries().values()
    known = {name for source in sources for name in source(row.sandbox)}
    if sources and code not in known:
        meant = suggest.closest(code, known)
        hint = f" Did you mean '{meant}'?" if meant else ""
        yield Problem("namespace", f"There is no identity namespace '{code}'.{hint}", row.path)


def _refuse_if_profile_relies(schema: Schema, row: Descriptor) -> None:
    """Keep the primary identity of a schema whose records are in profiles."""
    if schema.profile_enabled:
        detail = (
            f"'{schema.title}' is enabled for Profile: its primary identity cannot be added, "
            "changed or removed any more."
        )
        raise change_refused([Problem("primary-identity-fixed", detail, row.path)])


def _settings(destination: Schema | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in settings.items() if value is not None}
    if "destination_path" in given:
        given["destination_path"] = dotted(str(given["destination_path"]))
    return {**given, "destination_schema": destination.pk} if destination else given


def _note(actor: Actor, row: Descriptor, verb: str, *, deleting: bool = False) -> None:
    """Give the schema a new version, and ask live uses of the data when labels have changed."""
    schema = row.schema
    schema.version += 1
    schema.save(update_fields=["version", "updated_at"])
    versions.note_version(actor=actor, row=schema, reason=f"Descriptor {verb}: {row}."[:500])
    if row.kind == DescriptorKind.LABEL and not deleting:
        require_standing_uses(
            sandbox=row.sandbox,
            actor=actor,
            changed=Node("schema", schema.pk, schema.title),
            target=schema,
        )


def _facts(row: Descriptor) -> dict[str, Any]:
    return {
        "schema": row.schema_id,
        "kind": row.kind,
        "paths": list(row.paths),
        "settings": dict(row.settings),
    }
