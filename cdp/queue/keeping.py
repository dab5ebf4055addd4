"""Keeping the leases of claims that are being worked on.

One thread a process, on a database connection of its own: the handler's may be
inside a transaction, where a longer lease would be seen by nobody.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

EXTENSIONS_A_LEASE = 4
IDLE = 60  # seconds after which the database connection is given back

log = structlog.get_logger(__name__)


class Lease(Protocol):
    """Something that is ours for `lease`, again and again, until it was silent for `patience`."""

    @property
    def lease(self) -> timedelta:
        """Return for how long it is ours without being extended."""

    @property
    def patience(self) -> timedelta:
        """Return for how long it is extended without a sign of life."""

    @property
    def heard_at(self) -> datetime:
        """Return when the last sign of life came."""

    def extend(self) -> None:
        """Move the end of the lease."""


class Keeper:
    """Extends leases for as long as this process lives and the work has patience."""

    def __init__(self) -> None:
        self._held: set[Lease] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def keep(self, lease: Lease) -> Iterator[None]:
        """Keep a lease while the block runs."""
        with self._changed:
            self._held.add(lease)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
                self._thread.start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._held.discard(lease)

    def _run(self) -> None:
        while True:
            for lease in self._wait():
                _extend(lease)

    def _wait(self) -> list[Lease]:
        """Return what is still held after a part of the lease; what is quick costs nothing."""
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._held), timeout=IDLE):
                connection.close()
                self._changed.wait_for(lambda: bool(self._held))
            pause = min(lease.lease for lease in self._held) / EXTENSIONS_A_LEASE
        time.sleep(pause.total_seconds())
        with self._changed:
            return list(self._held)


def _extend(lease: Lease) -> None:
    if timezone.now() - lease.heard_at > lease.patience:
        log.warning("lease_given_up", of=str(lease))
        return
    try:
        lease.extend()
    except (OperationalError, InterfaceError):  # the next round tries a new connection
        connection.close()


keeper = Keeper()


def _forget_parent() -> None:
    """Start anew in a forked child: threads stay behind, a held lock would be held for ever."""
    keeper.__init__()  # type: ignore[misc]


os.register_at_fork(after_in_child=_forget_parent)
