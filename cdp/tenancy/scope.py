"""Scopes: the only way to tenant rows.

A scope opens a transaction and tells PostgreSQL whose rows it may show. It ends
with the transaction, so it cannot leak into the next request on the same connection.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from django.db import connection, transaction

from cdp.tenancy.actors import Actor
from cdp.tenancy.errors import ScopeCrossed
from cdp.tenancy.models import Organization, Sandbox


@dataclass(frozen=True, slots=True)
class Scope:
    """What is open now: an organization, and usually one of its sandboxes.

    `survivors` are writes that follow in a transaction of their own, whatever becomes
    of this one.
    """

    organization_id: str
    sandbox_id: int | None
    actor: Actor
    survivors: list[Callable[[], None]] = field(default_factory=list, compare=False, repr=False)


_current: ContextVar[Scope | None] = ContextVar("scope", default=None)


def current_scope() -> Scope | None:
    """Return the open scope, for logs; decisions take their sandbox as an argument."""
    return _current.get()


@contextmanager
def scope(sandbox: Sandbox, actor: Actor) -> Iterator[Scope]:
    """Open one sandbox's rows for a transaction.

    Inside a scope of the same sandbox this is a savepoint. Raises `ScopeCrossed`
    inside the scope of another one. Nothing is visible in `on_commit`.
    """
    with _opened(Scope(sandbox.organization_id, sandbox.pk, actor)) as opened:
        yield opened


@contextmanager
def organization_scope(organization: Organization, actor: Actor) -> Iterator[Scope]:
    """Open the rows that belong to the organization as a whole, and to none of its sandboxes."""
    with _opened(Scope(organization.pk, None, actor)) as opened:
        yield opened


def survive(write: Callable[[], None]) -> None:
    """Run `write` when the outermost scope has ended, committed or rolled back.

    For what must be known of work that was refused, such as the refusal itself.
    """
    opened = _current.get()
    if opened is None:
        raise RuntimeError("There is no scope to survive.")
    opened.survivors.append(write)


@contextmanager
def bypass() -> Iterator[None]:
    """Open every tenant's rows for a transaction.

    For the queue's claim, operators' admin, migrations and store checks, and for
    nothing else: `tests/test_architecture.py` holds the list of modules that may.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('cdp.bypass', true)")
            before = (cursor.fetchone() or [""])[0] or ""
            cursor.execute("SELECT set_config('cdp.bypass', 'on', true)")
        yield
        with connection.cursor() as cursor:  # a rollback resets it by itself
            cursor.execute("SELECT set_config('cdp.bypass', %s, true)", [before])


@contextmanager
def _opened(wanted: Scope) -> Iterator[Scope]:
    outer = _current.get() if connection.in_atomic_block else None
    if outer and _owner(outer) != _owner(wanted):
        raise ScopeCrossed(f"{_owner(wanted)} inside {_owner(outer)}")
    is_inner = connection.in_atomic_block
    if outer:
        wanted = replace(wanted, survivors=outer.survivors)
    try:
        with transaction.atomic():
            _tell(wanted.organization_id, wanted.sandbox_id)
            token = _current.set(wanted)
            try:
                yield wanted
            finally:
                _current.reset(token)
            if is_inner and outer is None:  # a transaction without a scope goes on
                _tell("", None)
    finally:
        if outer is None and wanted.survivors:
            _write_survivors(wanted)


def _write_survivors(ended: Scope) -> None:
    with _opened(replace(ended, survivors=[])):
        for write in ended.survivors:
            write()


def _tell(organization_id: str, sandbox_id: int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('cdp.organization_id', %s, true),"
            " set_config('cdp.sandbox_id', %s, true)",
            [organization_id, "" if sandbox_id is None else str(sandbox_id)],
        )


def _owner(opened: Scope) -> tuple[str, int | None]:
    return opened.organization_id, opened.sandbox_id
