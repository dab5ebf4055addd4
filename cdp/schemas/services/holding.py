"""One change of a sandbox's registry at a time.

A field group, a schema on it and a descriptor of that schema are checked against
each other, so their changes take turns. Reading waits for nobody.
"""

from collections.abc import Iterable
from typing import TypeVar

from django.db import connection

from cdp.errors import NotFound
from cdp.schemas.models import Schema
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.models import Sandbox

Row = TypeVar("Row", bound=SandboxModel)

_TURN = "SELECT pg_advisory_xact_lock(hashtext('schemas.registry'), %s)"


def take_turn(sandbox: Sandbox) -> None:
    """Wait until no other transaction changes this sandbox's registry."""
    with connection.cursor() as cursor:
        cursor.execute(_TURN, [sandbox.pk])


def lock_schemas(sandbox: Sandbox, keys: Iterable[str]) -> list[Schema]:
    """Lock schemas against whoever is about to build on them, such as a new dataset."""
    rows = Schema.objects.for_sandbox(sandbox).filter(pk__in=list(keys))
    return list(rows.select_for_update().order_by("pk"))


def as_it_is_now(row: Row) -> Row:
    """Lock a row and read it again: it may have changed while we waited. Raises `NotFound`."""
    rows = type(row).objects.for_sandbox(row.sandbox_id).filter(pk=row.pk)
    current = rows.select_for_update().first()
    if current is None:
        raise NotFound(f"'{row}' is not there any more.")
    return current
