"""The borders of rules, asked of both readers: people in the event store, and in hand."""

from collections.abc import Mapping
from datetime import datetime
from itertools import count, pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest

from cdp.clickhouse import client
from segments.language.ast import Condition
from segments.language.clock import Clock, to_millis
from segments.language.facts import Event, Facts
from segments.language.match import matches
from segments.language.parse import parse
from segments.language.sql.scan import Rule
from segments.language.sql.touched import touched_scan
from segments.language.vocabulary import Known, Vocabulary
from tests.segments.people import Place, store

pytestmark = pytest.mark.clickhouse
sandboxes = count(3_000_000)
DAY = 86_400_000
BUY, VIEW = "commerce.purchases", "commerce.productViews"
TRACKER = "JourneyStepEventTracker - Subscription Not Purchased"
STEP = "_experience.journeyOrchestration.stepEvents"


def known(*fields: Known) -> dict[str, Known]:
    return {field.path: field for field in fields}


WORDS = Vocabulary(
    profile=known(
        Known("loyalty.tier", "text"),
        Known("preferred.category", "text"),
        Known("preferred.size", "text"),
        Known("scores.propensity", "number"),
        Known("birth", "day"),
        Known("lifetimeValue", "number"),
    ),
    event=known(
        Known("commerce.order.payments", "object", array=True),
        Known("commerce.order.payments.paymentAmount", "number", in_array=("commerce.order.payments",)),
        Known("productListItems", "object", array=True),
        Known("productListItems.SKU", "text", in_array=("productListItems",)),
        Known("productListItems.category", "text", in_array=("productListItems",)),
        Known("productListItems.size", "text", in_array=("productListItems",)),
        Known("productListItems.priceTotal", "number", in_array=("productListItems",)),
        Known(f"{STEP}.nodeName", "text"),
    ),
)  # fmt: skip
QUALIFYING = (
    f'xEvent[eventType = "{BUY}" and timestamp occurs <= 3 months before now]'
    ".sum(commerce.order.payments.paymentAmount) >= 250"
)
SUBSCRIBED = (
    f'xEvent[eventType = "{BUY}" and timestamp occurs <= 7 days before now'
    ' and productListItems.exists(SKU = "subscription")]'
)
PAID_MEDIA = (
    f'xEvent[eventType = "journey.feedback" and {STEP}.nodeName = "{TRACKER}"'
    f" and timestamp occurs <= 7 days before now] and not ({SUBSCRIBED})"
)


def at(text: str, zone: str = "UTC") -> int:
    return to_millis(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


NOW = at("2026-05-15T12:00:00")


def buy(when: int, *amounts: float, sku: str = "") -> Event:
    body: dict[str, object] = {
        "commerce": {"order": {"payments": [{"paymentAmount": amount} for amount in amounts]}}
    }
    if sku:
        body["productListItems"] = [{"SKU": sku}]
    return Event(when, BUY, body=body)


def found(
    text: str, people: Mapping[str, Facts], now: int = NOW, zone: str = "UTC", **segments: str
) -> set[str]:
    """Return who satisfies a rule, after both readers have said the same."""
    rules = {name: parse(each, WORDS) for name, each in segments.items()}
    rule = parse(text, WORDS)
    clock = Clock(now, ZoneInfo(zone))
    by_hand = {name for name, facts in people.items() if holds(rule, facts, clock, rules)}
    numbers = dict(enumerate(people, start=1))
    place = Place(next(sandboxes))
    store({number: people[name] for number, name in numbers.items()}, place)
    asked = [*(Rule(name, each) for name, each in rules.items()), Rule("asked", rule)]
    scan = touched_scan(asked, WORDS, clock, now)
    rows = client.fetch_text(scan.text, sandbox=place, params=scan.parameters, budget=client.FULL)
    by_store = {numbers[profile] for profile, places, _ in rows if len(rules) in places}
    assert by_store == by_hand
    return by_hand


def holds(rule: Condition, facts: Facts, clock: Clock, rules: Mapping[str, Condition]) -> bool:
    members = frozenset(n for n, each in rules.items() if matches(each, facts, clock, WORDS))
    known_facts = Facts(facts.profile, facts.events, members, facts.entities)
    return matches(rule, known_facts, clock, WORDS)


@pytest.mark.acceptance("A-53")
@pytest.mark.acceptance("A-54")
@pytest.mark.acceptance("A-55")
def test_two_hundred_and_fifty_counts_and_a_cent_less_does_not():
    first = at("2026-02-15T12:00:00")
    people = {
        "exactly": Facts(events=[buy(NOW - DAY, 250.0)]),
        "a cent less": Facts(events=[buy(NOW - DAY, 249.99)]),
        "over payments and events": Facts(events=[buy(NOW, 100.0, 50.0), buy(NOW - DAY, 100.0)]),
        "in many small prices": Facts(events=[buy(NOW - n, 0.1) for n in range(2_500)]),
        "in the first millisecond": Facts(events=[buy(first, 250.0)]),
        "a millisecond before it": Facts(events=[buy(first - 1, 250.0)]),
        "in the last millisecond": Facts(events=[buy(NOW, 250.0)]),
        "ahead of time": Facts(events=[buy(NOW + 1, 250.0)]),
        "no purchase": Facts(events=[Event(NOW, VIEW)]),
        "nothing at all": Facts(),
    }

    assert found(QUALIFYING, people) == {
        "exactly",
        "over payments and events",
        "in many small prices",
        "in the first millisecond",
        "in the last millisecond",
    }


def basket(when: int, prices: list[float]) -> Event:
    return Event(when, BUY, body={"productListItems": [{"priceTotal": price} for price in prices]})


def split(cents: int, random: Random) -> list[float]:
    """Return prices that total so many cents."""
    cuts = sorted(random.sample(range(1, cents), random.randint(2, 60)))
    return [(end - start) / 100 for start, end in pairwise([0, *cuts, cents])]


def test_baskets_of_many_prices_that_total_exactly_250_all_count():
    random = Random(250)
    enough = {f"{n} enough": Facts(events=[basket(NOW, split(25_000, random))]) for n in range(60)}
    less = {f"{n} less": Facts(events=[basket(NOW, split(24_999, random))]) for n in range(20)}
    over_days = {
        "over days": Facts(
            events=[basket(NOW - n * DAY, [price]) for n, price in enumerate(split(25_000, random))]
        )
    }
    rule = (
        f'xEvent[eventType = "{BUY}" and timestamp occurs <= 90 days before now]'
        ".sum(productListItems.priceTotal) >= 250"
    )

    assert any(sum(_prices(facts)) < 250 for facts in enough.values())  # floats would lose some
    assert found(rule, enough | less | over_days) == {*enough, "over days"}


def _prices(facts: Facts) -> list[float]:
    items = [item for event in facts.events for item in event.body["productListItems"]]
    return [item["priceTotal"] for item in items]


@pytest.mark.parametrize(
    ("now", "first"),
    [
        ("2026-05-31T12:00:00", "2026-02-28T12:00:00"),
        ("2028-05-31T12:00:00", "2028-02-29T12:00:00"),
        ("2028-02-29T12:00:00", "2027-11-29T12:00:00"),
        ("2026-01-15T12:00:00", "2025-10-15T12:00:00"),
    ],
)
def test_three_months_go_by_the_calendar(now, first):
    people = {
        "first": Facts(events=[buy(at(first), 250.0)]),
        "before": Facts(events=[buy(at(first) - 1, 250.0)]),
    }

    assert found(QUALIFYING, people, at(now)) == {"first"}


def test_a_window_ends_with_its_last_millisecond():
    people = {"once": Facts(events=[buy(NOW, 250.0)])}
    week = QUALIFYING.replace("3 months", "7 days")

    assert found(week, people, NOW - 1) == set()  # it lies ahead
    assert found(week, people, NOW) == {"once"}
    assert found(week, people, NOW + 7 * DAY) == {"once"}
    assert found(week, people, NOW + 7 * DAY + 1) == set()


def test_what_comes_late_counts_at_its_own_time():
    viewed, bought = Event(NOW - 2 * DAY, VIEW), buy(NOW - DAY, 1.0)
    old = buy(NOW - 8 * DAY, 250.0)
    people = {
        "in order": Facts(events=[viewed, bought, old]),
        "the view came last": Facts(events=[bought, old, viewed]),
        "bought before": Facts(events=[buy(NOW - 3 * DAY, 1.0), viewed]),
    }
    chain = (
        f'CHAIN(xEvent, timestamp, [C0: WHAT(eventType = "{VIEW}"), C1: WHAT(eventType = "{BUY}")])'
    )

    assert found(chain, people) == {"in order", "the view came last"}
    assert found(QUALIFYING.replace("3 months", "7 days"), people) == set()
    assert found(QUALIFYING, people) == {"in order", "the view came last"}


def test_without_purchases_a_sum_is_nought_and_an_average_is_nothing():
    people = {"nobody": Facts(), "small": Facts(events=[buy(NOW, 5.0)])}
    bought = f'xEvent[eventType = "{BUY}"]'
    amount = "commerce.order.payments.paymentAmount"

    assert found(f"{bought}.sum({amount}) <= 100", people) == {"nobody", "small"}
    assert found(f"{bought}.average({amount}) <= 100", people) == {"small"}
    assert found(f"not ({bought}.max({amount}) > 100)", people) == {"nobody", "small"}


@pytest.mark.acceptance("A-56")
@pytest.mark.acceptance("A-57")
def test_paid_media_takes_those_told_of_and_leaves_subscribers_out():
    told = Event(
        NOW - DAY,
        "journey.feedback",
        body={"_experience": {"journeyOrchestration": {"stepEvents": {"nodeName": TRACKER}}}},
    )
    people = {
        "told": Facts(events=[told]),
        "told, bought else": Facts(events=[told, buy(NOW, 9.0, sku="shirt")]),
        "told, subscribed": Facts(events=[told, buy(NOW, 9.0, sku="subscription")]),
        "told, subscribed long ago": Facts(
            events=[told, buy(NOW - 7 * DAY - 1, 9.0, sku="subscription")]
        ),
        "not told": Facts(events=[buy(NOW, 9.0)]),
    }

    assert found(PAID_MEDIA, people) == {"told", "told, bought else", "told, subscribed long ago"}


@pytest.mark.acceptance("A-58")
@pytest.mark.acceptance("B-33")
@pytest.mark.acceptance("D-36")
def test_a_rule_starts_from_another_segment_and_adds_attributes_and_events():
    gold = {"loyalty": {"tier": "gold"}}
    people = {
        "spent, quiet": Facts(gold, [buy(NOW - 30 * DAY, 300.0)]),
        "spent, just bought": Facts(gold, [buy(NOW - 30 * DAY, 300.0), buy(NOW - DAY, 1.0)]),
        "spent, not gold": Facts({}, [buy(NOW - 30 * DAY, 300.0)]),
        "spent little": Facts(gold, [buy(NOW - 30 * DAY, 3.0)]),
    }
    quiet = f'not (xEvent[eventType = "{BUY}" and timestamp occurs <= 7 days before now])'

    assert found(
        f'inSegment("good") and loyalty.tier = "gold" and {quiet}', people, good=QUALIFYING
    ) == {"spent, quiet"}


@pytest.mark.acceptance("B-34")
def test_nested_groups_change_what_is_found():
    people = {
        "gold": Facts({"loyalty": {"tier": "gold"}, "scores": {"propensity": 0.1}}),
        "keen": Facts({"loyalty": {"tier": "base"}, "scores": {"propensity": 0.9}}),
        "both": Facts({"loyalty": {"tier": "gold"}, "scores": {"propensity": 0.9}}),
    }
    gold, keen, low = 'loyalty.tier = "gold"', "scores.propensity > 0.5", "scores.propensity < 0.5"

    assert found(f"({gold} or {keen}) and {keen}", people) == {"keen", "both"}
    assert found(f"{gold} or ({keen} and {low})", people) == {"gold", "both"}
    assert found(f"({gold} or {keen}) and not ({gold} and {keen})", people) == {"gold", "keen"}


@pytest.mark.acceptance("D-37")
@pytest.mark.acceptance("D-38")
@pytest.mark.acceptance("D-16")
def test_gift_givers_who_abandon_a_cart_are_described():
    def viewed(category: str, size: str) -> Event:
        return Event(
            NOW - DAY, VIEW, body={"productListItems": [{"category": category, "size": size}]}
        )

    cart = Event(NOW - 2_000, "commerce.productListAdds")
    likes = {"preferred": {"category": "women", "size": "S"}, "loyalty": {"tier": "gold"}}
    people = {
        "gift, abandoned": Facts(likes, [viewed("men", "L"), cart]),
        "gift, bought": Facts(likes, [viewed("men", "L"), cart, buy(NOW - 1_000, 5.0)]),
        "own taste": Facts(likes, [viewed("women", "S"), cart]),
        "no loyalty": Facts({"preferred": likes["preferred"]}, [viewed("men", "L"), cart]),
        "no taste known": Facts({"loyalty": {"tier": "gold"}}, [viewed("men", "L"), cart]),
    }
    rule = (
        f'xEvent[eventType = "{VIEW}" and timestamp occurs <= 7 days before now and'
        " productListItems.exists(category != $1.preferred.category and size != $1.preferred.size)]"
        ' and CHAIN(xEvent, timestamp, [C0: WHAT(eventType = "commerce.productListAdds"),'
        f' C1: WHAT(eventType = "{BUY}") COUNT(= 0)]) and loyalty.tier.isNotNull()'
    )

    assert found(rule, people) == {"gift, abandoned"}


@pytest.mark.acceptance("D-39")
@pytest.mark.acceptance("B-38")
def test_scores_and_derived_values_of_the_profile_are_used():
    people = {
        "high": Facts({"scores": {"propensity": 0.8000001}, "lifetimeValue": 1_000.0}),
        "on the line": Facts({"scores": {"propensity": 0.8}, "lifetimeValue": 1_000.0}),
        "unknown": Facts(),
    }

    assert found("scores.propensity > 0.8 and lifetimeValue >= 1000", people) == {"high"}


def test_a_leap_day_is_kept_on_the_28th_where_a_year_has_no_29th():
    people = {"leap": Facts({"birth": "2000-02-29"}), "next": Facts({"birth": "1990-03-01"})}
    today = "birth occurs on today ignoring year"

    assert found(today, people, at("2026-02-28T10:00:00")) == {"leap"}
    assert found(today, people, at("2028-02-28T10:00:00")) == set()
    assert found(today, people, at("2028-02-29T10:00:00")) == {"leap"}
    assert found(today, people, at("2026-03-01T10:00:00")) == {"next"}


def test_a_month_begins_in_the_sandboxs_zone():
    first = at("2026-05-01T00:00:00", "America/New_York")
    people = {
        "in May": Facts(events=[buy(first, 1.0)]),
        "in April": Facts(events=[buy(first - 1, 1.0)]),
    }
    rule = f'xEvent[eventType = "{BUY}" and timestamp occurs this month]'

    assert found(rule, people, NOW, "America/New_York") == {"in May"}
    # Farther east it is May already at either instant.
    assert found(rule, people, NOW, "UTC") == {"in May", "in April"}
    assert found(rule, people, NOW, "Europe/Berlin") == {"in May", "in April"}


def test_a_window_that_begins_takes_an_event_in_when_it_is_old_enough():
    people = {
        "a week": Facts(events=[buy(NOW - 7 * DAY, 1.0)]),
        "younger": Facts(events=[buy(NOW - 7 * DAY + 1, 1.0)]),
    }
    rule = f'xEvent[eventType = "{BUY}" and timestamp occurs >= 7 days before now]'

    assert found(rule, people) == {"a week"}
    assert found(rule, people, NOW + 1) == {"a week", "younger"}


def test_what_is_missing_is_neither_equal_nor_unequal():
    people = {
        "gold": Facts({"loyalty": {"tier": "gold"}}),
        "base": Facts({"loyalty": {"tier": "base"}}),
        "none": Facts(),
    }

    assert found('loyalty.tier = "gold"', people) == {"gold"}
    assert found('loyalty.tier != "gold"', people) == {"base"}
    assert found('not (loyalty.tier = "gold")', people) == {"base", "none"}
    assert found('loyalty.tier notIn ["gold"]', people) == {"base"}
    assert found("loyalty.tier.isNull()", people) == {"none"}
