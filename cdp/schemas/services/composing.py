"""Schemas put together anew, after they or their parts have changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cdp.schemas.dependents import used_among
from cdp.schemas.errors import change_refused, definition_refused
from cdp.schemas.models import Descriptor, Schema
from cdp.schemas.registry import unions
from cdp.schemas.registry.compatibility import breaks
from cdp.schemas.registry.composing import Composition, compose
from cdp.schemas.registry.definitions import Find
from cdp.schemas.registry.fields import fields_of
from cdp.schemas.registry.problems import Problem, Refused
from cdp.schemas.registry.validation import validator_of
from cdp.schemas.selectors import compiled_schemas, union_members
from cdp.schemas.services.versions import note_version
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox


@dataclass(frozen=True)
class Recomposed:
    """A schema with what it would come to."""

    schema: Schema
    composition: Composition


def composed(document: Mapping[str, Any], find: Find) -> Composition:
    """Put a schema document together. Raises `DefinitionRefused`."""
    try:
        composition = compose(document, find)
        validator_of(composition.resolved)
    except Refused as refusal:
        raise definition_refused(refusal.problems) from refusal
    return composition


def apply(
    *, actor: Actor, sandbox: Sandbox, changed: list[Recomposed], find: Find, reason: str
) -> None:
    """Give schemas their new form, if all of them may have it.

    The schemas are locked. Raises `ChangeRefused` with every rule that a schema in
    use would break, and leaves everything as it was.
    """
    problems = list(_problems(sandbox, changed))
    if problems:
        raise change_refused(problems)
    for each in changed:
        before = None if reason else _document_of(each.schema)
        _store(each)
        note_version(actor=actor, row=each.schema, before=before, reason=reason)


def _problems(sandbox: Sandbox, changed: list[Recomposed]) -> Iterator[Problem]:
    used = used_among(sandbox, [each.schema for each in changed])
    described: dict[str, list[Descriptor]] = {}
    ids = [each.schema.pk for each in changed]
    for descriptor in Descriptor.objects.for_sandbox(sandbox).filter(schema__in=ids):
        described.setdefault(descriptor.schema_id, []).append(descriptor)
    for each in changed:
        before, after = each.schema.resolved, each.composition.resolved
        if each.schema.pk in used:
            yield from _titled(breaks(before, after), each.schema.title)
        fields = fields_of(after)
        for descriptor in described.get(each.schema.pk, ()):
            for path in descriptor.paths:
                if path not in fields:
                    detail = f"'{path}' has the descriptor {descriptor.pk}; delete that first."
                    yield Problem("described-field", detail, path)
        if each.schema.profile_enabled:
            yield from union_conflicts(sandbox, each.schema, each.composition)


def union_conflicts(
    sandbox: Sandbox, schema: Schema, composition: Composition
) -> Iterator[Problem]:
    """Find what keeps a schema out of the union of its class."""
    others = union_members(sandbox, composition.class_uri).exclude(pk=schema.pk)
    members = compiled_schemas(sandbox, others.values_list("pk", flat=True)).values()
    yield from unions.conflicts(
        [
            *((member.title, member.fields) for member in members),
            (schema.title, fields_of(composition.resolved)),
        ]
    )


def _titled(problems: Iterator[Problem], title: str) -> Iterator[Problem]:
    for problem in problems:
        detail = f"The schema '{title}' is in use: {problem.detail}"
        yield Problem(problem.rule, detail, problem.path)


def _document_of(schema: Schema) -> Mapping[str, Any]:
    """Return the document as it is stored, whatever the row in hand says by now."""
    stored = Schema.objects.for_sandbox(schema.sandbox_id).only("document").get(pk=schema.pk)
    document: Mapping[str, Any] = stored.document
    return document


def _store(each: Recomposed) -> None:
    schema, composition = each.schema, each.composition
    schema.resolved = composition.resolved
    schema.references = sorted(composition.references)
    schema.version += 1
    schema.save()
