"""Making, publishing, disabling and deleting computed attributes."""

from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from cdp import queue
from cdp.errors import Invalid
from cdp.queue import backlog
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox
from governance.evaluation import Node
from governance.services.decisions import require_standing_uses
from profiles.computed.definition import problems
from profiles.computed.evaluating import computation_of, event_fields
from profiles.enums import ComputedState
from profiles.errors import AttributeInUse, AttributePublished, TooManyAttributes
from profiles.models import ComputedAttribute
from profiles.registries import computed_attribute_dependents
from profiles.selectors.computed import list_computed_attributes
from profiles.topics import COMPUTED_OUTDATED

MOST: Final = 25
_WORDS: Final = frozenset({"title", "description"})


def create_computed_attribute(
    *, actor: Actor, sandbox: Sandbox, name: str, **values: Any
) -> ComputedAttribute:
    """Make a draft, checked against the schemas of events. Raises `NameTaken` or `Invalid`."""
    row = ComputedAttribute(sandbox=sandbox, name=name, **values)
    _check(row)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken(f"There is a computed attribute '{name}' already.") from error
    audit.record(
        actor=actor, action="computed_attribute.created", target=row, after={"name": name, **values}
    )
    return row


def change_computed_attribute(
    *, actor: Actor, attribute: ComputedAttribute, **changes: Any
) -> ComputedAttribute:
    """Change a draft; of what is published only the words. Raises `AttributePublished`."""
    fixed = changes.keys() - _WORDS
    if attribute.state != ComputedState.DRAFT and fixed:
        raise AttributePublished(
            f"Published, {', '.join(sorted(fixed))} cannot change. Make another attribute."
        )
    before = {field: getattr(attribute, field) for field in changes}
    for field, value in changes.items():
        setattr(attribute, field, value)
    _check(attribute)
    attribute.save()
    audit.record(
        actor=actor,
        action="computed_attribute.changed",
        target=attribute,
        before=before,
        after=changes,
    )
    return attribute


def publish_computed_attribute(*, actor: Actor, attribute: ComputedAttribute) -> ComputedAttribute:
    """Work it out from now on, and for everybody from the events that are there.

    Raises `TooManyAttributes`.
    """
    if attribute.state == ComputedState.PUBLISHED:
        return attribute
    published = list_computed_attributes(attribute.sandbox).filter(state=ComputedState.PUBLISHED)
    if published.count() >= MOST:
        raise TooManyAttributes(f"At most {MOST} computed attributes are published. Disable one.")
    _check(attribute)
    _move(actor, attribute, ComputedState.PUBLISHED)
    require_standing_uses(
        sandbox=attribute.sandbox,
        actor=actor,
        changed=Node("computed_attribute", attribute.pk, attribute.name),
        target=attribute,
    )
    return attribute


def disable_computed_attribute(*, actor: Actor, attribute: ComputedAttribute) -> ComputedAttribute:
    """Stop working it out; its values go. Raises `AttributeInUse`."""
    _refuse_if_used(attribute)
    if attribute.state != ComputedState.DISABLED:
        _move(actor, attribute, ComputedState.DISABLED)
    return attribute


def delete_computed_attribute(*, actor: Actor, attribute: ComputedAttribute) -> None:
    """Delete a draft, or what has been disabled. Raises `AttributeInUse`."""
    if attribute.state == ComputedState.PUBLISHED:
        raise AttributeInUse("Disable the computed attribute first.")
    _refuse_if_used(attribute)
    # By its row it is known what the values that are left are worked out of, and who may see them.
    if attribute.state == ComputedState.DISABLED and backlog(attribute.sandbox, COMPUTED_OUTDATED):
        raise AttributeInUse("Its values are still being removed. Delete it in a while.")
    audit.record(actor=actor, action="computed_attribute.deleted", target=attribute)
    attribute.delete()


def _move(actor: Actor, attribute: ComputedAttribute, state: ComputedState) -> None:
    before = attribute.state
    attribute.state = state
    attribute.save()
    audit.record(
        actor=actor,
        action=f"computed_attribute.{state}",
        target=attribute,
        before={"state": before},
        after={"state": state},
    )
    queue.publish(COMPUTED_OUTDATED, {"after": 0}, sandbox=attribute.sandbox)


def _check(row: ComputedAttribute) -> None:
    clean(row)
    found = problems(computation_of(row), event_fields(row.sandbox), timezone.now())
    if found:
        raise Invalid("The attribute cannot be computed; see `errors`.", errors=found)


def _refuse_if_used(attribute: ComputedAttribute) -> None:
    dependents = [
        dependent
        for find in computed_attribute_dependents.entries().values()
        for dependent in find(attribute.sandbox, attribute.name)
    ]
    if dependents:
        raise AttributeInUse("Something uses this attribute.", dependents=dependents)
