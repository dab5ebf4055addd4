"""Schedules of evaluation: made, changed, deleted, and run when their time comes.

A timer in the queue carries the moment that it was set for; one that the schedule no
longer means does nothing. However late a timer rings, it makes one run: the next one
is reckoned from now.
"""

from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from cdp.errors import FieldError, Invalid
from cdp.queue import publish
from cdp.queue.schedules import check_schedule, next_run
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox
from segments import selectors
from segments.models import SegmentSchedule
from segments.services.evaluations import request_evaluation
from segments.topics import SCHEDULES_DUE

MOST_SCHEDULES: Final = 50
_ACTOR: Final = Actor.system("segments.schedule")


def create_schedule(*, actor: Actor, sandbox: Sandbox, **values: Any) -> SegmentSchedule:
    """Have segments evaluated by the clock. Raises `Invalid` or `NameTaken`."""
    if selectors.list_schedules(sandbox).count() >= MOST_SCHEDULES:
        raise Invalid(f"A sandbox has at most {MOST_SCHEDULES} schedules: change or delete one.")
    row = SegmentSchedule(sandbox=sandbox, **values)
    _check(row, is_set=True)
    _save(row, force_insert=True)
    audit.record(actor=actor, action="segment_schedule.created", target=row, after=values)
    _set_timer(row)
    return row


def change_schedule(*, actor: Actor, row: SegmentSchedule, **changes: Any) -> SegmentSchedule:
    """Change a schedule, or switch it on or off. Raises as `create_schedule`."""
    before = {field: getattr(row, field) for field in changes}
    for field, value in changes.items():
        setattr(row, field, value)
    is_set = bool({"schedule", "enabled"} & changes.keys())
    _check(row, is_set=is_set)
    _save(row)
    audit.record(
        actor=actor, action="segment_schedule.changed", target=row, before=before, after=changes
    )
    if is_set:
        _set_timer(row)
    return row


def delete_schedule(*, actor: Actor, row: SegmentSchedule) -> None:
    """Delete a schedule; the evaluations that it has asked for stay."""
    audit.record(
        actor=actor,
        action="segment_schedule.deleted",
        target=row,
        before={"schedule": row.schedule, "segments": row.segments},
    )
    row.delete()


def run_if_due(sandbox: Sandbox, schedule_id: str, at: str) -> None:
    """Ask for the evaluation that a timer was set for, and set the next timer."""
    rows = selectors.list_schedules(sandbox).select_for_update(of=("self",))
    row = rows.filter(pk=schedule_id, enabled=True).first()
    if row is None or row.next_run_at is None or row.next_run_at.isoformat() != at:
        return
    request_evaluation(actor=_ACTOR, sandbox=sandbox, segments=row.segments, schedule=row)
    row.last_run_at = timezone.now()
    row.save(update_fields=["last_run_at"])
    _set_timer(row)


def _set_timer(row: SegmentSchedule) -> None:
    row.next_run_at = _next_run(row) if row.enabled else None
    row.save(update_fields=["next_run_at"])
    if row.next_run_at is not None:
        publish(
            SCHEDULES_DUE,
            {"schedule": row.pk, "at": row.next_run_at.isoformat()},
            sandbox=row.sandbox,
            available_at=row.next_run_at,
        )


def _next_run(row: SegmentSchedule) -> datetime | None:
    return next_run(row.schedule, row.sandbox.time_zone, after=timezone.now())


def _check(row: SegmentSchedule, *, is_set: bool) -> None:
    """Raise `Invalid` with everything that is wrong with a schedule.

    One that `is_set` now has to run at least once: a single run may be over by then.
    """
    errors = []
    problem = check_schedule(row.schedule, row.sandbox.time_zone)
    if not row.schedule:
        problem = "Say when: a cron expression, an interval, or the moment of a single run."
    elif not problem and is_set and row.enabled and _next_run(row) is None:
        problem = "It would never run: its moment is over."
    if problem:
        errors.append(FieldError(path="schedule", code="invalid", detail=problem))
    row.segments = sorted(set(row.segments))
    known = selectors.list_segments(row.sandbox).filter(pk__in=row.segments)
    if unknown := sorted(set(row.segments) - set(known.values_list("pk", flat=True))):
        detail = f"There is no segment '{unknown[0]}' here."
        errors.append(FieldError(path="segments", code="unknown_segment", detail=detail))
    if errors:
        raise Invalid("The schedule cannot work; see `errors`.", errors=errors)


def _save(row: SegmentSchedule, *, force_insert: bool = False) -> None:
    clean(row)
    try:
        with transaction.atomic():
            row.save(force_insert=force_insert)
    except IntegrityError as error:
        raise NameTaken(f"There is a schedule '{row.name}' already.") from error
