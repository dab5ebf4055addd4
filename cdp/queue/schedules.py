"""When scheduled work runs next. Pure.

A schedule is empty (only when told), `{"cron": "0 6 * * *"}` on the sandbox's clock, or
`{"every": 15, "unit": "minute"}`; both may say `"start_at"`, before which nothing runs.
`{"start_at": ...}` alone runs once. Days and weeks are those of the sandbox's clock, too:
what runs each day at six does so on the days on which the clock is put forward or back.
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
_BY_THE_CLOCK: Final = frozenset({"day", "week"})


def check_schedule(schedule: Mapping[str, Any], zone: str) -> str:
    """Say what is wrong with a schedule, or nothing."""
    unknown = set(schedule) - {"cron", "every", "unit", "start_at"}
    if unknown:
        return f"A schedule has no '{min(unknown)}'."
    if "cron" in schedule and "every" in schedule:
        return "Give a cron expression or an interval, not both."
    if ("every" in schedule) != ("unit" in schedule):
        return "An interval needs both 'every' and 'unit'."
    if not isinstance(schedule.get("cron", ""), str):
        return "'cron' is a text like '0 6 * * *'."
    every = schedule.get("every", 1)
    if not isinstance(every, int) or isinstance(every, bool) or not 1 <= every <= 10_000:
        return "'every' is a whole number from 1 on."
    unit = schedule.get("unit", "minute")
    if not isinstance(unit, str) or unit not in UNITS:
        return f"'unit' is one of {', '.join(UNITS)}."
    try:
        start_of(schedule)
        next_run(schedule, zone, after=datetime(2026, 1, 1, tzinfo=UTC))
    except (CronSimError, ValueError, TypeError, AttributeError, OverflowError) as error:
        return f"The schedule cannot be read: {error}."
    return ""


def next_run(schedule: Mapping[str, Any], zone: str, *, after: datetime) -> datetime | None:
    """Return the first moment after `after` at which the work runs, or None.

    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> next_run({"cron": "0 6 * * *"}, "Europe/Berlin", after=noon).isoformat()
    '2026-01-02T05:00:00+00:00'
    """
    start = start_of(schedule)
    if "cron" in schedule:
        return _next_by_cron(schedule["cron"], ZoneInfo(zone), after, start)
    if start and start > after:
        return start
    if "every" not in schedule:
        return None
    step = UNITS[schedule["unit"]] * schedule["every"]
    if schedule["unit"] in _BY_THE_CLOCK:
        return _next_by_clock(step, ZoneInfo(zone), after, start)
    origin = start or datetime(1970, 1, 1, tzinfo=UTC)
    moment: datetime = origin + step * ((after - origin) // step + 1)
    return moment


def start_of(schedule: Mapping[str, Any]) -> datetime | None:
    """Return when the schedule begins, in UTC as rows have it. Raises `ValueError`."""
    text = schedule.get("start_at")
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _next_by_cron(
    cron: str, zone: ZoneInfo, after: datetime, start: datetime | None
) -> datetime | None:
    local = (max(after, start) if start else after).astimezone(zone)
    if start and start > after:
        local -= timedelta(seconds=1)  # the start itself counts
    moment: datetime | None = next(CronSim(cron, local), None)
    return moment.astimezone(UTC) if moment else None


def _next_by_clock(
    step: timedelta, zone: ZoneInfo, after: datetime, start: datetime | None
) -> datetime:
    """Return the next of the moments that lie whole days apart on the wall's clock."""
    origin = start.astimezone(zone).replace(tzinfo=None) if start else datetime(1970, 1, 1)  # noqa: DTZ001  # the wall's clock
    wall = origin + step * ((after.astimezone(zone).replace(tzinfo=None) - origin) // step)
    moment = after
    while moment <= after:  # the hour that comes twice may need a second step
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
        wall += step
    return moment
