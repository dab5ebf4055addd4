"""Turns: who may change the memberships of a sandbox now, and in which order they do.

A turn is a transaction that holds the sandbox's lock. An evaluation of few profiles is
one turn, from reading the events to telling what changed. One of a whole sandbox
reads without a turn and then takes a short one for each slice, so that news of a
few profiles always finds its way in between.
"""

from typing import Final

from django.db import OperationalError, connection

from cdp.tenancy.models import Sandbox
from segments.errors import SandboxBusy

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('segments.turn'), %s)"
_SET_PATIENCE: Final = "SELECT set_config('lock_timeout', %s, true)"
_PATIENCE: Final = "2s"  # longer than any turn should take; a worker is not parked for more


def take_turn(sandbox: Sandbox) -> None:
    """Hold the sandbox's memberships until the transaction ends; taking it again is free.

    Raises `SandboxBusy`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (before,) = cursor.fetchone() or ("0",)
        cursor.execute(_SET_PATIENCE, [_PATIENCE])
        try:
            cursor.execute(_LOCK, [sandbox.pk])
        except OperationalError as error:
            if "lock timeout" not in str(error):
                raise
            raise SandboxBusy("Another evaluation has its turn.", retry_after=1) from error
        cursor.execute(_SET_PATIENCE, [before])


def next_turn() -> int:
    """Return the number of the present turn; a later turn has a higher one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('segments_turn')")
        (number,) = cursor.fetchone() or (0,)
        return int(number)
