"""When a rule's answer can next change by itself: exact moments, and nothing in between."""

from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segments.language.clock import Clock, to_millis
from segments.language.facts import Event, Facts
from segments.language.match import matches
from segments.language.next_change import next_change
from segments.language.parse import parse
from segments.language.vocabulary import Known, Vocabulary
from tests.segments.generators import VOCABULARY, World

DAY, HOUR = 86_400_000, 3_600_000
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
WORDS = Vocabulary(
    profile={
        "birth": Known("birth", "day"),
        "joined": Known("joined", "time"),
        "tier": Known("tier", "text"),
    }
)


def instant(text: str, zone: str) -> int:
    moment = datetime.fromisoformat(text)
    return to_millis(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone)))


def changes(text: str, facts: Facts, now: str, zone: str, days: int = 2) -> int | None:
    start = instant(now, zone)
    clock = Clock(start, ZoneInfo(zone))
    return next_change(parse(text, WORDS), facts, clock, WORDS, start + days * DAY)


def holds(text: str, facts: Facts, at: int, zone: str) -> bool:
    return matches(parse(text, WORDS), facts, Clock(at, ZoneInfo(zone)), WORDS)


def window(text: str) -> str:
    return f'xEvent[eventType = "buy" and timestamp occurs {text}]'


# An event, the window, now, and the first millisecond at which the answer is another.
EVENTS = [
    ("2026-05-10T12:00:00", "<= 7 days before now", "2026-05-16T00:00", "2026-05-17T12:00:00.001", "UTC"),
    ("2026-05-10T12:00:00", ">= 7 days before now", "2026-05-16T00:00", "2026-05-17T12:00:00", "UTC"),
    ("2026-05-10T12:00:00", "= 7 days before now", "2026-05-16T00:00", "2026-05-17T00:00:00", "UTC"),
    ("2026-05-10T12:00:00", "< 5 seconds before now", "2026-05-10T12:00:01", "2026-05-10T12:00:05", "UTC"),
    # Days are 24 hours, whatever the clock on the wall does.
    ("2026-03-28T12:00:00", "<= 1 day before now", "2026-03-28T13:00", "2026-03-29T13:00:00.001", BERLIN),
    ("2026-10-24T12:00:00", "<= 1 day before now", "2026-10-24T13:00", "2026-10-25T11:00:00.001", BERLIN),
    # Months follow the calendar: the clock is read on the same hour of the wall.
    ("2026-01-15T10:00:00", "<= 3 months before now", "2026-04-14T00:00", "2026-04-15T10:00:00.001", BERLIN),
    ("2026-02-15T10:00:00", ">= 1 month before now", "2026-03-14T00:00", "2026-03-15T10:00:00", NEW_YORK),
    # A day that the month does not have is its last.
    ("2026-02-28T10:00:00", "<= 3 months before now", "2026-05-28T09:00", "2026-05-28T10:00:00.001", BERLIN),
    ("2026-02-28T10:00:00", "<= 3 months before now", "2026-05-28T23:00", "2026-05-29T00:00:00", BERLIN),
    ("2024-02-29T10:00:00", "<= 1 year before now", "2025-02-28T00:00", "2025-03-01T00:00:00", "UTC"),
    ("2027-02-28T10:00:00", "<= 1 year before now", "2028-02-28T00:00", "2028-02-28T10:00:00.001", "UTC"),
    # Calendar units turn over in the zone, on short and on long days.
    ("2026-05-31T23:30:00", "this month", "2026-05-31T23:45", "2026-06-01T00:00:00", NEW_YORK),
    ("2026-03-29T01:00:00", "today", "2026-03-29T12:00", "2026-03-30T00:00:00", BERLIN),
    ("2026-10-25T01:00:00", "today", "2026-10-25T12:00", "2026-10-26T00:00:00", BERLIN),
    ("2026-12-31T12:00:00", "this year", "2026-12-31T13:00", "2027-01-01T00:00:00", BERLIN),
    ("2026-05-10T12:00:00", "last month", "2026-05-31T00:00", "2026-06-01T00:00:00", BERLIN),
    # What lies ahead happens when its moment comes.
    ("2026-05-12T08:00:00", "<= 7 days before now", "2026-05-12T00:00", "2026-05-12T08:00:00", "UTC"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "text", "now", "expected", "zone"), EVENTS)
def test_an_event_enters_and_leaves_a_window_at_the_millisecond(event, text, now, expected, zone):
    facts = Facts(events=[Event(instant(event, zone), "buy")])
    rule = window(text)

    at = changes(rule, facts, now, zone)

    assert at == instant(expected, zone)
    assert holds(rule, facts, at, zone) != holds(rule, facts, at - 1, zone)
    assert holds(rule, facts, at - 1, zone) == holds(rule, facts, instant(now, zone), zone)


PEOPLE = [
    ({"birth": "1990-05-20"}, "birth occurs on today ignoring year", "2026-05-18T12:00", "2026-05-20T00:00:00", BERLIN),
    ({"birth": "1990-05-20"}, "birth occurs on today ignoring year", "2026-05-20T12:00", "2026-05-21T00:00:00", BERLIN),
    # A leap day is kept on the 28th where a year has no 29th.
    ({"birth": "2000-02-29"}, "birth occurs on today ignoring year", "2026-02-27T12:00", "2026-02-28T00:00:00", "UTC"),
    ({"birth": "2000-02-29"}, "birth occurs on today ignoring year", "2028-02-28T12:00", "2028-02-29T00:00:00", "UTC"),
    ({"joined": "2026-05-10T12:00:00Z"}, "joined occurs <= 30 days before now", "2026-06-08T00:00", "2026-06-09T12:00:00.001", "UTC"),
]  # fmt: skip


@pytest.mark.parametrize(("profile", "rule", "now", "expected", "zone"), PEOPLE)
def test_a_date_of_the_person_comes_and_goes(profile, rule, now, expected, zone):
    facts = Facts(profile)

    at = changes(rule, facts, now, zone)

    assert at == instant(expected, zone)
    assert holds(rule, facts, at, zone) != holds(rule, facts, at - 1, zone)


@pytest.mark.parametrize(
    "rule",
    [
        'tier = "gold"',
        'xEvent[eventType = "buy"]',
        window("<= 7 days before now"),  # beyond the horizon
        window("between date(2026, 5, 1) and date(2026, 5, 11)"),
    ],
)
def test_what_time_does_not_change_is_left_alone(rule):
    facts = Facts({"tier": "gold"}, [Event(instant("2026-05-10T12:00:00", "UTC"), "buy")])

    assert changes(rule, facts, "2026-05-12T00:00", "UTC") is None


def test_the_earliest_of_many_counts():
    first = instant("2026-05-10T12:00:00", "UTC")
    facts = Facts(events=[Event(first + DAY, "buy"), Event(first, "buy"), Event(first, "view")])

    at = changes(f"{window('<= 7 days before now')}.count() >= 2", facts, "2026-05-16T00:00", "UTC")

    assert at == first + 7 * DAY + 1


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_between_now_and_then_the_answer_stays_what_it_is(seed):
    world, random = World(seed), Random(seed)
    rules = [world.rule() for _ in range(5)]
    facts = world.facts()
    end = world.clock.now + random.choice([1, 26, 50]) * HOUR
    for rule in rules:
        clock = world.clock
        for _ in range(6):
            following = next_change(rule, facts, clock, VOCABULARY, end)
            last = end if following is None else following - 1
            answer = matches(rule, facts, clock, VOCABULARY)
            probes = [last, *(random.randint(clock.now, last) for _ in range(12))]
            for at in [*probes, *(edge for edge in world.edges if clock.now < edge <= last)]:
                assert matches(rule, facts, clock.at(at), VOCABULARY) == answer, (seed, rule, at)
            if following is None:
                break
            assert clock.now < following <= end
            clock = clock.at(following)
