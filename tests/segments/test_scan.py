"""The shared scan: many rules in one statement, each answered as if it were alone."""

from datetime import UTC, datetime
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from cdp.clickhouse import client
from segments.language.clock import Clock, to_millis
from segments.language.facts import Event, Facts
from segments.language.match import matches
from segments.language.parse import parse
from segments.language.sql.scan import Rule, members_scan
from segments.language.vocabulary import Known, Vocabulary
from tests.segments.people import Place, store

pytestmark = pytest.mark.clickhouse
sandboxes = count(3_500_000)
DAY = 86_400_000
CLOCK = Clock(to_millis(datetime(2026, 5, 15, 12, tzinfo=UTC)), ZoneInfo("UTC"))
BUY = "commerce.purchases"
WORDS = Vocabulary(
    event={
        field.path: field
        for field in (
            Known("productListItems", "object", array=True),
            Known("productListItems.SKU", "text", in_array=("productListItems",)),
        )
    }
)


def found(texts: list[str], people: dict[str, Facts]) -> list[set[str]]:
    """Return who satisfies each rule, after both readers have said the same of all of them."""
    rules = [Rule(f"seg_{n}", parse(text, WORDS)) for n, text in enumerate(texts)]
    sandbox = Place(next(sandboxes))
    names = dict(enumerate(people, start=1))
    store({number: people[name] for number, name in names.items()}, sandbox)
    scan = members_scan(rules, WORDS, CLOCK)
    rows = client.fetch_text(
        f"SELECT segment_id, bitmapToArray(members) FROM ({scan.text})",
        sandbox=sandbox,
        params=scan.parameters,
        budget=client.STREAMING,
    )
    members = {segment: {names[profile] for profile in profiles} for segment, profiles in rows}
    by_store = [members[rule.id] for rule in rules]
    by_hand = [
        {name for name, facts in people.items() if matches(rule.condition, facts, CLOCK, WORDS)}
        for rule in rules
    ]
    assert by_store == by_hand
    return by_hand


def buy(when: int, *skus: str) -> Event:
    return Event(when, BUY, body={"productListItems": [{"SKU": sku} for sku in skus]})


def test_more_rules_than_a_number_has_bits_are_told_apart():
    skus = [f"sku-{number}" for number in range(130)]
    rules = [
        f'xEvent[eventType = "{BUY}" and productListItems.exists(SKU = "{sku}")]' for sku in skus
    ]
    people = {
        "all": Facts(events=[buy(CLOCK.now - DAY, *skus)]),
        "odd": Facts(events=[buy(CLOCK.now - DAY, *skus[1::2], "other", skus[1])]),
        "last": Facts(events=[buy(CLOCK.now - DAY), buy(CLOCK.now - DAY, skus[-1])]),
        "none": Facts(events=[buy(CLOCK.now - DAY, "other")]),
    }

    members = found(rules, people)

    assert members[0] == {"all"}
    assert members[1] == {"all", "odd"}
    assert members[-1] == {"all", "odd", "last"}


def test_an_item_without_a_value_is_not_one_with_an_empty_value():
    rules = [f'xEvent[productListItems.exists(SKU = "{sku}")]' for sku in ("", "a")]
    people = {
        "missing": Facts(events=[Event(CLOCK.now, BUY, body={"productListItems": [{"n": 1}]})]),
        "empty": Facts(events=[buy(CLOCK.now, "")]),
    }

    assert found(rules, people) == [{"empty"}, set()]


def test_windows_of_different_lengths_over_the_same_events_each_have_their_own_edge():
    windows = (1, 2, 30, 30_000)  # the last begins before 1970
    rules = [
        f'xEvent[eventType = "{BUY}" and timestamp occurs <= {n} days before now]' for n in windows
    ]
    rules.append(f'xEvent[eventType = "{BUY}" and timestamp occurs >= 2 days before now]')
    people = {
        "just inside": Facts(events=[buy(CLOCK.now - 2 * DAY)]),
        "just outside": Facts(events=[buy(CLOCK.now - 2 * DAY - 1)]),
        "now": Facts(events=[buy(CLOCK.now), buy(CLOCK.now - 20 * DAY)]),
        "something else": Facts(events=[Event(CLOCK.now, "commerce.productViews")]),
        "nothing": Facts(),
    }

    assert found(rules, people) == [
        {"now"},
        {"now", "just inside"},
        {"now", "just inside", "just outside"},
        {"now", "just inside", "just outside"},
        {"now", "just inside", "just outside"},
    ]


def test_what_has_not_happened_is_told_of_those_without_events_too():
    rules = [
        f'not xEvent[eventType = "{BUY}" and timestamp occurs <= {n} days before now]'
        for n in (1, 9)
    ]
    people = {"bought": Facts(events=[buy(CLOCK.now - 5 * DAY)]), "nothing": Facts()}

    assert found(rules, people) == [{"bought", "nothing"}, {"nothing"}]
