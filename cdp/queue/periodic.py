"""Work that comes round: what is due again after some seconds, whoever does it.

The registry is filled in `apps.py`; the row of a piece of work says when it is due
and, while somebody does it, until when that one is trusted to be alive.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from cdp.queue import broker
from cdp.queue.keeping import keeper
from cdp.queue.models import PeriodicRun
from cdp.queue.subscriptions import SHORT_WORK

# The tick comes each second, give or take; without this a second's work would skip every other.
EARLY = timedelta(seconds=0.2)
_BEGIN = """
INSERT INTO queue_periodicrun AS run (name, due_at, runner)
VALUES (%(name)s, %(until)s, %(runner)s)
ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at, runner = excluded.runner
WHERE run.due_at <= %(now)s
RETURNING name
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Periodic:
    """A piece of periodic work."""

    name: str
    seconds: float
    run: Callable[[], None]
    lane: str


class Turn:
    """One run of a piece of work: ours alone until the lease ends."""

    lease: timedelta = settings.QUEUE_LEASE
    patience = timedelta(hours=1)

    def __init__(self, work: Periodic) -> None:
        self.work = work
        self.runner = uuid4()
        self.heard_at = timezone.now()

    def __str__(self) -> str:
        return self.work.name

    def begin(self) -> bool:
        """Take the turn, if it is anybody's to take."""
        now = self.heard_at
        values: dict[str, Any] = {
            "name": self.work.name,
            "until": now + self.lease,
            "now": now + EARLY,
        }
        with connection.cursor() as cursor:
            cursor.execute(_BEGIN, values | {"runner": self.runner})
            return cursor.fetchone() is not None

    def extend(self) -> None:
        """Move the end of the lease."""
        self._set(timezone.now() + self.lease)

    def end(self) -> None:
        """Say when the next turn is; a turn that has been lost to another says nothing."""
        self._set(self.heard_at + timedelta(seconds=self.work.seconds))

    def _set(self, due_at: datetime) -> None:
        PeriodicRun.objects.filter(name=self.work.name, runner=self.runner).update(due_at=due_at)


_registered: dict[str, Periodic] = {}


def every(seconds: float, name: str, run: Callable[[], None], *, lane: str = SHORT_WORK) -> None:
    """Have `run` called every so many seconds by one worker of the installation; for `apps.py`.

    It never runs twice at a time, and a run that is missed is not made up for: it
    looks at what is due now. Raises `ValueError` if the name is taken.
    """
    if name in _registered:
        raise ValueError(f"{name} is registered already")
    _registered[name] = Periodic(name, seconds, run, lane)


def due_work() -> list[Periodic]:
    """Return the periodic work that somebody should do now."""
    now = timezone.now() + EARLY
    resting = set(PeriodicRun.objects.filter(due_at__gt=now).values_list("name", flat=True))
    return [work for work in _registered.values() if work.name not in resting]


def send_due() -> None:
    """Ask the workers to do what is due. Raises `broker.AWAY`."""
    for work in due_work():
        broker.send(broker.PERIODIC, work.name, work.lane)


def run_if_due(name: str) -> bool:
    """Do a piece of work, unless somebody else does or has just done it; tell whether it was us.

    What the work raises is logged; the next time comes anyway.
    """
    work = _registered[name]
    turn = Turn(work)
    if not turn.begin():
        return False
    with bound_contextvars(periodic=name), keeper.keep(turn):
        started = time.monotonic()
        try:
            work.run()
        except Exception:  # the next run must come
            log.exception("periodic_failed")
        log.debug("periodic_done", milliseconds=round((time.monotonic() - started) * 1000))
    turn.end()
    return True
