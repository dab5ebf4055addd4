"""Adding kinds of identifiers. Their codes and types never change, and none is deleted."""

from typing import Any

from django.db import IntegrityError, transaction

from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.models import Sandbox
from profiles.errors import NamespaceStandard, NamespaceTaken
from profiles.identity.namespaces import STANDARD
from profiles.models import Namespace

_STANDARD_KEYS = {namespace.code.lower() for namespace in STANDARD}


def create_namespace(*, actor: Actor, sandbox: Sandbox, code: str, **values: Any) -> Namespace:
    """Add a namespace; identities carry its code from then on. Raises `NamespaceTaken`."""
    row = Namespace(sandbox=sandbox, code=code, code_key=code.lower(), **values)
    row.name = row.name or code
    clean(row)
    taken = NamespaceTaken(f"There is a namespace '{code}' already.")
    if row.code_key in _STANDARD_KEYS:
        raise taken
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise taken from error
    audit.record(
        actor=actor,
        action="namespace.created",
        target=row,
        after={"code": code, "type": row.type, "normaliser": row.normaliser},
    )
    return row


def change_namespace(*, actor: Actor, namespace: Namespace, **changes: Any) -> Namespace:
    """Change the words of a namespace. Raises `NamespaceStandard` for those of every sandbox."""
    if namespace.code_key in _STANDARD_KEYS:
        raise NamespaceStandard(f"'{namespace.code}' is a standard namespace.")
    before = {field: getattr(namespace, field) for field in changes}
    for field, value in changes.items():
        setattr(namespace, field, value)
    clean(namespace)
    namespace.save()
    audit.record(
        actor=actor, action="namespace.changed", target=namespace, before=before, after=changes
    )
    return namespace
