"""Both readers of a rule agree with a third that shares nothing with them."""

from datetime import UTC, datetime
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp.clickhouse import client
from segments.language.clock import Clock
from segments.language.facts import Event, Facts
from segments.language.match import matches
from segments.language.parse import parse
from segments.language.sql.scan import Rule
from segments.language.sql.touched import touched_scan
from segments.language.vocabulary import Known, Vocabulary
from tests.segments import reference
from tests.segments.people import Place, store

sandboxes = count(5_000_000)
HOUR, DAY = 3_600_000, 86_400_000
MOMENTS = [
    int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)
    for parts in ((2026, 5, 31, 12), (2024, 2, 29), (2026, 3, 31, 23, 59), (2026, 1, 15, 6))
]
KINDS = ["view", "cart", "buy"]
SKUS = ["s1", "s2"]
CENTS = [0, 1, 10, 20, 30, 8333, 8334, 24_999, 25_000, 25_001, -100]
WORDS = Vocabulary(
    event={
        known.path: known
        for known in (
            Known("amount", "number"),
            Known("items", "object", array=True),
            Known("items.sku", "text", in_array=("items",)),
            Known("items.price", "number", in_array=("items",)),
        )
    }
)

prices = st.sampled_from(CENTS).map(lambda cents: cents / 100)
windows = st.one_of(
    st.none(),
    st.builds(dict, count=st.sampled_from([1, 2, 7]), unit=st.sampled_from(["hour", "day"])),
    st.builds(dict, count=st.sampled_from([1, 3, 12]), unit=st.just("month")),
)
# Near the ends of the windows, on them, and ahead; no two events of a person at one time.
ages = st.one_of(
    st.integers(-3, 3),
    st.sampled_from(
        [HOUR, DAY, 2 * DAY, 7 * DAY, 28 * DAY, 31 * DAY, 59 * DAY, 90 * DAY, 92 * DAY, 365 * DAY]
    ).flatmap(lambda age: st.integers(age - 2, age + 2)),
)
items = st.fixed_dictionaries({}, optional={"sku": st.sampled_from(SKUS), "price": prices})
events = st.fixed_dictionaries(
    {"age": ages, "type": st.sampled_from(KINDS)},
    optional={"amount": prices, "items": st.lists(items, max_size=4)},
)
people = st.lists(events, max_size=7, unique_by=lambda event: event["age"])


@st.composite
def aggregates(draw):
    of = draw(st.sampled_from(["events", "amounts", "prices"]))
    functions = ["count", "distinct", "sum", "average", "min", "max"]
    return {
        "kind": draw(st.sampled_from(KINDS)),
        "window": draw(windows),
        "of": of,
        "sku": draw(st.sampled_from(["", *SKUS])),
        "function": "count" if of == "events" else draw(st.sampled_from(functions)),
        "sign": draw(st.sampled_from(list(reference.SIGNS))),
        "value": draw(st.sampled_from([0, 1, 2, 3, 0.1, 0.3, 83.33, 249.99, 250, 250.01])),
    }


@st.composite
def sequences(draw):
    gaps = [{"count": 1, "unit": "day"}, {"count": 2, "unit": "millisecond"}]
    gaps += [{"count": 1, "unit": "hour"}, {"count": 90, "unit": "day"}]
    asked = draw(st.integers(1, 3))
    steps = []
    for number in range(asked):
        step = {
            "test": draw(st.sampled_from([">=", "="])),
            "count": draw(st.sampled_from([1, 1, 2])),
        }
        if (number or step["count"] > 1) and draw(st.booleans()):
            step["within"] = draw(st.sampled_from(gaps))
        elif number and draw(st.booleans()):
            step["after"] = draw(st.sampled_from(gaps))
        steps.append(step)
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(steps)))
        most = draw(st.sampled_from([("=", 0), ("<=", 0), ("<=", 1)]))
        steps.insert(place, {"test": most[0], "count": most[1], "forbids": True})
    for number, step in enumerate(steps):
        outside = all(s.get("forbids") for s in steps[:number]) or all(
            s.get("forbids") for s in steps[number + 1 :]
        )
        if step.pop("forbids", False) and outside and draw(st.booleans()):
            step["within"] = draw(st.sampled_from(gaps))
    return {"steps": [{"kind": draw(st.sampled_from(KINDS)), **step} for step in steps]}


rules = st.one_of(aggregates(), sequences())


def at(now, drawn):
    """Return what somebody did, at times told by their age."""
    return {"events": [{**event, "at": now - event["age"]} for event in drawn]}


def facts(person):
    return Facts(
        events=[
            Event(
                event["at"],
                event["type"],
                body={name: event[name] for name in ("amount", "items") if name in event},
            )
            for event in person["events"]
        ]
    )


@settings(max_examples=4 * settings().max_examples)
@given(st.sampled_from(MOMENTS), rules, st.lists(people, min_size=1, max_size=4))
def test_the_matcher_agrees_with_the_reference(now, rule, drawn):
    parsed = parse(reference.written(rule), WORDS)
    clock = Clock(now, ZoneInfo("UTC"))

    for person in (at(now, each) for each in drawn):
        assert matches(parsed, facts(person), clock, WORDS) == reference.holds(rule, person, now)


@pytest.mark.clickhouse
@settings(
    max_examples=settings().max_examples // 16,  # of so many rules and people each
    suppress_health_check=list(HealthCheck),
    derandomize=settings().max_examples <= 100,
)
@given(
    st.sampled_from(MOMENTS),
    st.lists(rules, min_size=30, max_size=30),
    st.lists(people, min_size=40, max_size=40),
)
def test_the_sql_agrees_with_the_reference(now, asked, drawn):
    known = dict(enumerate((at(now, each) for each in drawn), start=1))
    place = Place(next(sandboxes))
    store({number: facts(person) for number, person in known.items()}, place)
    parsed = [Rule(f"seg_{n}", parse(reference.written(r), WORDS)) for n, r in enumerate(asked)]

    scan = touched_scan(parsed, WORDS, Clock(now, ZoneInfo("UTC")), now)
    rows = client.fetch_text(scan.text, sandbox=place, params=scan.parameters, budget=client.FULL)

    assert {profile: list(places) for profile, places, _ in rows} == {
        number: [n for n, rule in enumerate(asked) if reference.holds(rule, person, now)]
        for number, person in known.items()
    }
