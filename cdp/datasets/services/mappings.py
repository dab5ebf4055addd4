"""Making, changing and using mapping sets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from cdp.datasets.errors import DatasetInUse, MappingInvalid
from cdp.datasets.mapping.rules import CompiledMapping, Rule, compile_mapping
from cdp.datasets.models import Flow, MappingSet, MappingVersion
from cdp.datasets.records import Json
from cdp.errors import FieldError, NotFound
from cdp.schemas.models import Schema
from cdp.schemas.registry.validation import CompiledSchema
from cdp.schemas.selectors import compiled_schema
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox

Rules = Sequence[Mapping[str, Any]]


def create_mapping_set(
    *, actor: Actor, sandbox: Sandbox, schema: Schema, name: str, rules: Rules
) -> MappingSet:
    """Make a mapping set with its first version. Raises `MappingInvalid` or `NameTaken`."""
    compiled(compiled_schema(sandbox, schema.pk), rules)
    mapping_set = MappingSet(sandbox=sandbox, schema=schema, name=name)
    clean(mapping_set)
    _save(mapping_set, force_insert=True)
    _add_version(mapping_set, rules)
    audit.record(
        actor=actor,
        action="mapping_set.created",
        target=mapping_set,
        after={"name": name, "schema": schema.pk, "rules": list(rules)},
    )
    return mapping_set


def change_mapping_set(
    *, actor: Actor, mapping_set: MappingSet, name: str | None = None, rules: Rules | None = None
) -> MappingSet:
    """Rename a mapping set, or give it a new version; flows keep theirs until they are changed."""
    before = {"name": mapping_set.name, "version": mapping_set.version}
    if name is not None:
        mapping_set.name = name
    if rules is not None:
        compiled(compiled_schema(mapping_set.sandbox, mapping_set.schema_id), rules)
        mapping_set.version += 1
        _add_version(mapping_set, rules)
    clean(mapping_set)
    _save(mapping_set)
    audit.record(
        actor=actor,
        action="mapping_set.changed",
        target=mapping_set,
        before=before,
        after={"name": mapping_set.name, "version": mapping_set.version},
    )
    return mapping_set


def delete_mapping_set(*, actor: Actor, mapping_set: MappingSet) -> None:
    """Delete a mapping set that no flow uses."""
    flows = Flow.objects.for_sandbox(mapping_set.sandbox_id).filter(mapping_set=mapping_set)
    dependents = [{"type": "flow", "id": flow.pk, "name": flow.name} for flow in flows[:100]]
    if dependents:
        raise DatasetInUse(
            "Flows use this mapping set; see `dependents`.",
            code="mapping_set_in_use",
            dependents=dependents,
        )
    audit.record(actor=actor, action="mapping_set.deleted", target=mapping_set)
    mapping_set.delete()


def compiled(schema: CompiledSchema, rules: Rules) -> CompiledMapping:
    """Return rules ready for rows. Raises `MappingInvalid` with everything that is wrong."""
    mapping, errors = compile_mapping([rule_of(rule) for rule in rules], schema.fields)
    if errors:
        raise MappingInvalid("Some rules cannot work; see `errors`.", errors=errors)
    return mapping


def rule_of(rule: Mapping[str, Any]) -> Rule:
    """Read a rule as it is stored and shown."""
    return Rule(rule["kind"], rule["source"], rule["destination"])


def rules_of(sandbox: Sandbox, mapping_set_id: str, version: int) -> Rules:
    """Return the rules of a version. Raises `NotFound`."""
    found = (
        MappingVersion.objects.for_sandbox(sandbox)
        .filter(mapping_set_id=mapping_set_id, number=version)
        .first()
    )
    if found is None:
        raise NotFound(f"The mapping set '{mapping_set_id}' has no version {version}.")
    rules: Rules = found.rules
    return rules


def try_mapping(
    schema: CompiledSchema, rules: Rules, rows: Sequence[Json], *, now: datetime
) -> list[dict[str, Any]]:
    """Map rows and judge the outcome; nothing is stored. Raises `MappingInvalid`."""
    mapping = compiled(schema, rules)
    tried = []
    for row in rows:
        record, errors = mapping.apply(row, now=now)
        if not errors:
            errors = [
                FieldError(path=error.path, code=error.code, detail=error.detail)
                for error in schema.validate(record)
                if error.path != "_id"  # is given at the door
            ]
        tried.append({"record": record, "errors": errors})
    return tried


def _add_version(mapping_set: MappingSet, rules: Rules) -> None:
    MappingVersion.objects.create(
        sandbox=mapping_set.sandbox,
        mapping_set=mapping_set,
        number=mapping_set.version,
        rules=list(rules),
    )


def _save(mapping_set: MappingSet, *, force_insert: bool = False) -> None:
    try:
        with transaction.atomic():
            mapping_set.save(force_insert=force_insert)
    except IntegrityError as error:
        raise NameTaken(f"There is a mapping set '{mapping_set.name}' already.") from error
