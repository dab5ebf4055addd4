"""Rules that would cost without measure: refused with a reason, on every way in."""

import time
from zoneinfo import ZoneInfo

import pytest

from cdp.tenancy.scope import scope
from segments.language.clock import Clock
from segments.language.facts import Facts
from segments.language.match import matches
from segments.language.parse import parse
from segments.language.vocabulary import Known, Vocabulary
from segments.models import Segment
from tests.segments.shop import ACTOR, open_shop

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]

BUY = {"type": "compare", "operator": "=", "left": {"field": "eventType"}, "right": "buy"}
BOUGHT = {"type": "events", "where": BUY}
TEXT = 'xEvent[eventType = "buy"]'
EVER = "timestamp occurs <= 90 days before now"


def nested(depth: int) -> dict:
    rule: dict = BOUGHT
    for _ in range(depth):
        rule = {"type": "not", "of": rule}
    return rule


COSTLY = {
    "every event there is": ({"text": "xEvent.count() > 5"}, "unbounded_scan"),
    "every event but some": ({"text": 'xEvent[eventType != "buy"]'}, "unbounded_scan"),
    "every event on one branch": (
        {"text": f'xEvent[eventType = "buy" or {EVER} or commerce.order.priceTotal > 1]'},
        "unbounded_scan",
    ),
    "every event until then": (
        {"text": "xEvent[timestamp occurs >= 90 days before now]"},
        "unbounded_scan",
    ),
    "every event in a chain": (
        {"text": 'CHAIN(xEvent, timestamp, [C0: WHAT(eventType = "buy"), C1: WHAT(eventType.isNotNull())])'},
        "unbounded_scan",
    ),
    "every event in a sum": (
        {"text": "xEvent[eventType.isNotNull()].sum(commerce.order.priceTotal) > 1"},
        "unbounded_scan",
    ),
    "a back-reference": ({"text": 'person.name.firstName.matches("(a)\\\\1")'}, "bad_pattern"),
    "a look-ahead": ({"text": 'person.name.firstName.matches("(?=a)b")'}, "bad_pattern"),
    "a million repetitions": (
        {"text": 'person.name.firstName.matches("((a{100}){100}){100}")'},
        "bad_pattern",
    ),
    "a pattern of 501 characters": (
        {"text": f'person.name.firstName.matches("{"a" * 501}")'},
        "bad_pattern",
    ),
    "a tree of depth 500": ({"rule": nested(500)}, "json_too_deep"),
    "a text of depth 500": ({"text": "(" * 500 + TEXT + ")" * 500}, "too_deep"),
    "a tree of a megabyte": ({"rule": {"type": "any", "of": [BOUGHT] * 9_000}}, "too_large"),
    "a text of a megabyte": ({"text": f"{TEXT} or " * 36_000 + TEXT}, "max_length"),
    "a value of a megabyte": (
        {"rule": {"type": "events", "where": {**BUY, "right": "x" * 1_000_000}}},
        "too_large",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "code"), COSTLY.values(), ids=COSTLY)
@pytest.mark.parametrize("way", ["segments", "segments/convert", "segment-estimates"])
def test_a_rule_without_measure_is_refused_with_a_reason(api, sandbox, way, body, code):
    open_shop(sandbox)
    given = {"name": "Costly", **body} if way == "segments" else body

    began = time.monotonic()
    answer = api.post(f"/api/v1/{way}/", given)
    took = time.monotonic() - began

    told = answer.json()
    assert 400 <= answer.status_code < 500, told
    assert code in {told["code"], *(e["code"] for e in told.get("errors", []))}
    assert told["detail"]
    assert took < 2
    with scope(sandbox, ACTOR):
        assert not Segment.objects.for_sandbox(sandbox).exists()


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*x", "(a*)*b", "([a-z]+)*#"])
def test_a_pattern_that_is_slow_elsewhere_is_not_slow_here(pattern):
    words = Vocabulary(profile={"name": Known("name", "text")})
    rule = parse(f'name.matches("{pattern}")', words)
    clock = Clock(0, ZoneInfo("UTC"))

    began = time.monotonic()
    found = matches(rule, Facts({"name": "a" * 50_000 + "!?"}), clock, words)

    assert (found, time.monotonic() - began < 1) == (False, True)
