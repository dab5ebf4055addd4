"""One change of a sandbox's registry at a time.

A field group, a schema on it and a descriptor of that schema are checked against
each other, so their changes take turns. Reading waits for nobody.
"""

from collections.abc import Iterable

from django.db import connection

from cdp.schemas.models import Schema
from cdp.tenancy.models import Sandbox

_TURN = "SELECT pg_advisory_xact_lock(hashtext('schemas.registry'), %s)"


def take_turn(sandbox: Sandbox) -> None:
    """Wait until no other transaction changes this sandbox's registry."""
    with connection.cursor() as cursor:
        cursor.execute(_TURN, [sandbox.pk])


def lock_schemas(sandbox: Sandbox, keys: Iterable[str]) -> list[Schema]:
    """Lock schemas against whoever is about to build on them, such as a new dataset."""
    rows = Schema.objects.for_sandbox(sandbox).filter(pk__in=list(keys))
    return list(rows.select_for_update().order_by("pk"))
