"""One change of who asks for whom at a time, in each sandbox.

A rule is checked against all others: it may ask for none that leads back to it, and for
none that is deleted meanwhile. Two that were checked side by side could do both.
"""

from typing import Final

from django.db import connection

from cdp.tenancy.models import Sandbox

_TURN: Final = "SELECT pg_advisory_xact_lock(hashtext('segments.rules'), %s)"


def hold_references(sandbox: Sandbox) -> None:
    """Wait until no other transaction changes what the sandbox's rules ask for."""
    with connection.cursor() as cursor:
        cursor.execute(_TURN, [sandbox.pk])
