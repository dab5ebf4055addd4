"""Who may change the graphs of a sandbox now."""

from django.db import connection

from cdp.tenancy.models import Sandbox
from profiles.errors import SandboxBusy

_TRY = "SELECT pg_try_advisory_xact_lock(hashtext('profiles.graphs'), %s)"
_WAIT = "SELECT pg_advisory_xact_lock(hashtext('profiles.graphs'), %s)"
_PATIENCE = "SELECT set_config('lock_timeout', %s, true)"


def try_graphs(sandbox: Sandbox) -> bool:
    """Take the sandbox's graphs for this transaction, unless somebody has them."""
    with connection.cursor() as cursor:
        cursor.execute(_TRY, [sandbox.pk])
        return bool(cursor.fetchone() == (True,))


def take_graphs(sandbox: Sandbox) -> None:
    """Take the sandbox's graphs at once. Raises `SandboxBusy`: a worker is never parked here."""
    if not try_graphs(sandbox):
        raise SandboxBusy("The identities of this sandbox are being changed.", retry_after=1)


def await_graphs(sandbox: Sandbox, patience: str = "5s") -> None:
    """Take the sandbox's graphs for this transaction, waiting for a batch to end.

    For people's requests, which come rarely and are worth the wait.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (before,) = cursor.fetchone() or ("0",)
        cursor.execute(_PATIENCE, [patience])
        cursor.execute(_WAIT, [sandbox.pk])
        cursor.execute(_PATIENCE, [before])
