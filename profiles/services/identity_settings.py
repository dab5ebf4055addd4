"""Setting the linking rules of a sandbox."""

from collections.abc import Sequence
from dataclasses import asdict

from django.db import transaction

from cdp import queue
from cdp.errors import FieldError, Stale
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from profiles.errors import SettingsInvalid
from profiles.identity.rules import Setting, check_settings
from profiles.models import IdentitySettings
from profiles.selectors.rules import namespace_catalogue
from profiles.topics import GRAPHS_OUTDATED


@transaction.atomic
def set_identity_settings(
    *, actor: Actor, sandbox: Sandbox, settings: Sequence[Setting], expected: int | None = None
) -> IdentitySettings:
    """Replace the linking rules, and have every stored graph judged by them anew.

    `expected` is the version that the caller has read. Raises `SettingsInvalid` with
    each reason, and `Stale`.
    """
    checked = check_linking_rules(sandbox, settings)
    row = current_settings(sandbox, lock=True)
    if expected is not None and expected != row.version:
        raise Stale("The linking rules have changed since you read them. Read them again.")
    before = row.rules
    row.rules = [asdict(setting) for setting in checked]
    row.version += 1
    row.save()
    audit.record(
        actor=actor,
        action="identity_settings.changed",
        target=row,
        before={"rules": before},
        after={"rules": row.rules},
    )
    queue.publish(GRAPHS_OUTDATED, {"after": 0, "version": row.version}, sandbox=sandbox)
    return row


def current_settings(sandbox: Sandbox, *, lock: bool = False) -> IdentitySettings:
    """Return the row of the linking rules, made with no rules if there is none."""
    rows = IdentitySettings.objects.for_sandbox(sandbox)
    if not rows.exists():
        IdentitySettings.objects.bulk_create(
            [IdentitySettings(sandbox=sandbox)], ignore_conflicts=True
        )
    return (rows.select_for_update() if lock else rows).get()


def check_linking_rules(sandbox: Sandbox, settings: Sequence[Setting]) -> list[Setting]:
    """Return the rules with codes as they are kept. Raises `SettingsInvalid`."""
    catalogue = namespace_catalogue(sandbox)
    named = [(setting, catalogue.find(setting.namespace)) for setting in settings]
    checked = [
        Setting(found.code if found else setting.namespace, setting.priority, setting.unique)
        for setting, found in named
    ]
    problems = check_settings({one.code: one for one in catalogue}, checked)
    if problems:
        errors = [
            FieldError(path=f"rules.{p.index}", code=p.code, detail=p.detail) for p in problems
        ]
        raise SettingsInvalid("The linking rules contradict themselves.", errors=errors)
    return checked
