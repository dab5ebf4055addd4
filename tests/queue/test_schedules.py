"""Moments at which scheduled work runs, over the changes of a sandbox's clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cdp.queue.schedules import check_schedule, next_run

BERLIN = "Europe/Berlin"


def runs(schedule, zone, after, count):
    found = []
    moment = datetime.fromisoformat(after).astimezone(UTC)
    for _ in range(count):
        moment = next_run(schedule, zone, after=moment)
        found.append(moment.astimezone(ZoneInfo(zone)).isoformat())
    return found


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        (
            {"cron": "30 6 * * *"},
            "2026-03-28T00:00:00+00:00",
            ["2026-03-28T06:30:00+01:00", "2026-03-29T06:30:00+02:00", "2026-03-30T06:30:00+02:00"],
        ),
        (  # half past two does not come on this day: it runs when the clock has been put forward
            {"cron": "30 2 * * *"},
            "2026-03-28T12:00:00+00:00",
            ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"],
        ),
        (  # half past two comes twice and the work runs once
            {"cron": "30 2 * * *"},
            "2026-10-24T12:00:00+00:00",
            ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"],
        ),
        (
            {"every": 1, "unit": "day", "start_at": "2026-03-27T05:00:00Z"},
            "2026-03-27T12:00:00+00:00",
            ["2026-03-28T06:00:00+01:00", "2026-03-29T06:00:00+02:00", "2026-03-30T06:00:00+02:00"],
        ),
        (
            {"every": 1, "unit": "week", "start_at": "2026-10-19T04:00:00Z"},
            "2026-10-19T04:00:00+00:00",
            ["2026-10-26T06:00:00+01:00", "2026-11-02T06:00:00+01:00"],
        ),
        (  # hours are hours: the night in between has one more of them
            {"every": 12, "unit": "hour", "start_at": "2026-10-24T12:00:00Z"},
            "2026-10-24T12:00:00+00:00",
            ["2026-10-25T02:00:00+02:00", "2026-10-25T13:00:00+01:00"],
        ),
        (
            {"cron": "0 0 29 2 *"},
            "2026-01-01T00:00:00+00:00",
            ["2028-02-29T00:00:00+01:00", "2032-02-29T00:00:00+01:00"],
        ),
    ],
)
def test_runs_are_on_the_clock_of_the_sandbox(schedule, after, expected):
    assert runs(schedule, BERLIN, after, len(expected)) == expected


def test_a_day_has_one_run_whatever_the_clock_does():
    daily = {"every": 1, "unit": "day", "start_at": "2026-01-01T01:30:00Z"}
    moment = datetime(2026, 1, 1, 1, 30, tzinfo=UTC)
    days = []
    for _ in range(364):
        following = next_run(daily, BERLIN, after=moment)
        assert timedelta(hours=22) < following - moment < timedelta(hours=26)
        moment = following
        days.append(moment.astimezone(ZoneInfo(BERLIN)).date())

    assert len(set(days)) == 364
    assert days == sorted(days)


@pytest.mark.parametrize(
    "schedule",
    [
        {"cron": "0 25 * * *"},
        {"cron": "0 0 30 2 *"},
        {"cron": 5},
        {"every": 1.5, "unit": "day"},
        {"every": 1, "unit": "month"},
        {"cron": "0 1 * * *", "every": 1, "unit": "day"},
        {"start_at": "soon"},
        {"often": True},
    ],
)
def test_what_cannot_be_read_is_told(schedule):
    assert check_schedule(schedule, BERLIN)


@pytest.mark.parametrize(
    "schedule", [{}, {"every": 1, "unit": "hour"}, {"every": 1, "unit": "day"}]
)
def test_moments_are_in_utc_whatever_clock_the_start_names(schedule):
    begin = {**schedule, "start_at": "2026-03-01T08:00:00+09:00"}

    first = next_run(begin, BERLIN, after=datetime(2026, 1, 1, tzinfo=UTC))

    assert first.isoformat() == "2026-02-28T23:00:00+00:00"
