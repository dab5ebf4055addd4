"""Making and changing the organization's own labels and marketing actions.

Neither is ever deleted or renamed: data and destinations carry them by name.
"""

from typing import Any, TypeVar

from django.db import IntegrityError, transaction

from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox
from governance.models import Label, MarketingAction

Row = TypeVar("Row", Label, MarketingAction)


def create_label(
    *, sandbox: Sandbox, actor: Actor, name: str, title: str, description: str = ""
) -> Label:
    """Make a label. Raises `NameTaken`, or `Invalid` for a core label's name."""
    row = Label(sandbox=sandbox, name=name, title=title, description=description)
    return _create(row, actor, "label.created")


def change_label(*, actor: Actor, label: Label, **changes: Any) -> Label:
    """Change the words of a label."""
    return _change(label, actor, "label.changed", changes)


def create_marketing_action(
    *, sandbox: Sandbox, actor: Actor, name: str, title: str, description: str = ""
) -> MarketingAction:
    """Make a marketing action. Raises `NameTaken`, or `Invalid` for a core action's name."""
    row = MarketingAction(sandbox=sandbox, name=name, title=title, description=description)
    return _create(row, actor, "marketing_action.created")


def change_marketing_action(
    *, actor: Actor, marketing_action: MarketingAction, **changes: Any
) -> MarketingAction:
    """Change the words of a marketing action."""
    return _change(marketing_action, actor, "marketing_action.changed", changes)


def _create(row: Row, actor: Actor, action: str) -> Row:
    clean(row)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken(f"There is one named '{row.name}' already.") from error
    audit.record(
        actor=actor,
        action=action,
        target=row,
        after={"name": row.name, "title": row.title, "description": row.description},
    )
    return row


def _change(row: Row, actor: Actor, action: str, changes: dict[str, Any]) -> Row:
    before = {field: getattr(row, field) for field in changes}
    for field, value in changes.items():
        setattr(row, field, value)
    clean(row)
    row.save()
    audit.record(actor=actor, action=action, target=row, before=before, after=changes)
    return row
