"""When profiles are looked at again because time has passed, not because of news.

Kept for the next day only: whoever is evaluated is planned anew, and each hour
another hour is added at the far end, for all. An alarm of the queue rings when the
first is due, and within the hour while there are rules, for somebody may be due later.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.utils import timezone
from psycopg2.extras import execute_values

from cdp.clickhouse import client
from cdp.queue import publish
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from segments.evaluation.rules import RuleBook
from segments.models import Alarm, Recheck
from segments.topics import RECHECKS_DUE

AHEAD: Final = timedelta(hours=26)
ADD_EVERY: Final = timedelta(hours=1)
_LATE: Final = timedelta(seconds=30)
# Whoever is due so soon after the others is looked at together with the next: a turn costs the
# same for one profile as for a hundred.
_GATHERED: Final = timedelta(milliseconds=300)
_ACTOR: Final = Actor.system("segments.recheck")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_FORGET: Final = "DELETE FROM segments_recheck WHERE sandbox_id = %s AND profile_id = ANY(%s)"
# The earliest wins: who was evaluated meanwhile may know of an earlier change.
_PLAN: Final = """
INSERT INTO segments_recheck (sandbox_id, profile_id, at) VALUES %s
ON CONFLICT (sandbox_id, profile_id) DO UPDATE SET at = least(segments_recheck.at, excluded.at)
"""


def forget(sandbox: Sandbox, profiles: Sequence[int]) -> None:
    """Forget when these profiles were to be looked at; inside their turn."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [sandbox.pk, list(profiles)])


def plan(sandbox: Sandbox, changes: Mapping[int, int]) -> None:
    """Plan profiles by when they can next change; inside their turn."""
    _plan(sandbox, list(changes.items()))


def plan_everybody(
    sandbox: Sandbox, book: RuleBook, start: datetime, end: datetime | None = None
) -> None:
    """Plan every profile that changes between two moments; outside of any turn."""
    for statement in book.next_changes(start, end or start + AHEAD):
        blocks = client.stream(statement.text, sandbox=sandbox, params=statement.parameters)
        for block in blocks:
            with scope(sandbox, _ACTOR):
                _plan(sandbox, block)
    with scope(sandbox, _ACTOR):
        _plan(sandbox, [])


def due_profiles(sandbox: Sandbox, most: int) -> list[int]:
    """Return the profiles whose time has come, those first that have waited longest."""
    due = Recheck.objects.for_sandbox(sandbox).filter(at__lte=timezone.now())
    return list(due.order_by("at").values_list("profile_id", flat=True)[:most])


def add_ahead(sandbox: Sandbox, book: RuleBook) -> None:
    """Plan the time behind what is planned already, if it is due.

    That may lie in the past, if nobody worked meanwhile: whoever should have changed is due now.
    """
    with scope(sandbox, _ACTOR):
        alarm = Alarm.objects.for_sandbox(sandbox).first()
    now = timezone.now()
    planned_to = alarm.planned_to if alarm else now
    until = now + AHEAD
    if until - planned_to >= ADD_EVERY:
        plan_everybody(sandbox, book, planned_to, until)
        with scope(sandbox, _ACTOR):
            _keep_alarm(sandbox, at=alarm.at if alarm else until, planned_to=until)


def ring_next(sandbox: Sandbox, rung: Container[str], *, were_due: bool = False) -> None:
    """Set the alarm to the next recheck, or to when the next hour is planned.

    After a turn in which some were due, those of the next moments are gathered first.
    `rung` are the alarms that are ringing, as their items name them: if the one that
    counts is not among them it still will, and each of these would set another for ever.
    """
    now = timezone.now()
    first = Recheck.objects.for_sandbox(sandbox).order_by("at").values_list("at", flat=True).first()
    at = min(first or now + ADD_EVERY, now + ADD_EVERY)
    if were_due and at > now:
        at = max(at, now + _GATHERED)
    _set_alarm(sandbox, at, now, rung)


def _plan(sandbox: Sandbox, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write down when profiles change, and have the alarm ring by then."""
    planned = [(sandbox.pk, profile, _moment(at)) for profile, at in rows]
    if planned:
        with connection.cursor() as cursor, connection.wrap_database_errors:
            execute_values(cursor.cursor, _PLAN, sorted(planned), page_size=5_000)
    _ring_by(sandbox, min((at for _, _, at in planned), default=None))


def _ring_by(sandbox: Sandbox, at: datetime | None) -> None:
    """Have the alarm ring by a moment and within the hour."""
    now = timezone.now()
    _set_alarm(sandbox, min(at or now + ADD_EVERY, now + ADD_EVERY), now)


def _set_alarm(
    sandbox: Sandbox, at: datetime, now: datetime, rung: Container[str] = frozenset()
) -> None:
    """Have the alarm ring at a moment, unless it does before; one that is overdue is lost."""
    alarm = Alarm.objects.for_sandbox(sandbox).first()
    if alarm and _name(alarm.at) not in rung and now - _LATE <= alarm.at <= at:
        return
    planned_to = alarm.planned_to if alarm else now
    _keep_alarm(sandbox, at=at, planned_to=planned_to)
    publish(RECHECKS_DUE, {"alarm": _name(at)}, sandbox=sandbox, available_at=max(at, now))


def _name(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _keep_alarm(sandbox: Sandbox, **values: datetime) -> None:
    alarms: Iterable[Alarm] = [Alarm(sandbox=sandbox, **values)]
    Alarm.objects.bulk_create(
        alarms, update_conflicts=True, unique_fields=["sandbox"], update_fields=list(values)
    )


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(milliseconds))
