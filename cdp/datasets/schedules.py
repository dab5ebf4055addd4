"""When a flow runs next. Pure.

A schedule is empty (only when told), `{"cron": "0 6 * * *"}` on the sandbox's clock, or
`{"every": 15, "unit": "minute"}`; both may say `"start_at"`, before which nothing runs.
`{"start_at": ...}` alone runs once.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

UNITS: Final = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}


def check_schedule(schedule: Mapping[str, Any], zone: str) -> str:
    """Say what is wrong with a schedule, or nothing."""
    unknown = set(schedule) - {"cron", "every", "unit", "start_at"}
    if unknown:
        return f"A schedule has no '{min(unknown)}'."
    if "cron" in schedule and "every" in schedule:
        return "Give a cron expression or an interval, not both."
    if ("every" in schedule) != ("unit" in schedule):
        return "An interval needs both 'every' and 'unit'."
    every = schedule.get("every", 1)
    if not isinstance(every, int) or isinstance(every, bool) or not 1 <= every <= 10_000:
        return "'every' is a whole number from 1 on."
    if schedule.get("unit", "minute") not in UNITS:
        return f"'unit' is one of {', '.join(UNITS)}."
    try:
        start_of(schedule)
        next_run(schedule, zone, after=datetime(2026, 1, 1, tzinfo=UTC))
    except (CronSimError, ValueError, TypeError, AttributeError) as error:
        return f"The schedule cannot be read: {error}."
    return ""


def next_run(schedule: Mapping[str, Any], zone: str, *, after: datetime) -> datetime | None:
    """Return the first moment after `after` at which the flow runs, or None.

    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> next_run({"cron": "0 6 * * *"}, "Europe/Berlin", after=noon).isoformat()
    '2026-01-02T05:00:00+00:00'
    """
    start = start_of(schedule)
    begin = max(after, start) if start else after
    if "cron" in schedule:
        local = begin.astimezone(ZoneInfo(zone))
        if start and start > after:
            local -= timedelta(seconds=1)  # the start itself counts
        moment: datetime | None = next(CronSim(schedule["cron"], local), None)
        return moment.astimezone(UTC) if moment else None
    if start and start > after:
        return start
    if "every" not in schedule:
        return None
    step = UNITS[schedule["unit"]] * schedule["every"]
    origin = start or datetime(1970, 1, 1, tzinfo=UTC)
    moment_after: datetime = origin + step * ((after - origin) // step + 1)
    return moment_after


def start_of(schedule: Mapping[str, Any]) -> datetime | None:
    """Return when the schedule begins. Raises `ValueError`."""
    text = schedule.get("start_at")
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
