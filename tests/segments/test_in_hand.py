"""A few profiles, decided in hand: as the event store's statements decide them."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segments.compositions.names import Share, ranked_name, share_name
from segments.evaluation import in_hand
from segments.evaluation.asking import Answers, Asked
from segments.evaluation.by_statement import answer_by_statement
from segments.evaluation.in_hand import answer_in_hand, decided_in_hand
from segments.evaluation.rules import RuleBook
from segments.language.ast import All, Constant, Field, InSegment, Not, Related
from segments.language.sql.scan import Rule
from tests.segments.generators import VOCABULARY, World
from tests.segments.people import Place, store

pytestmark = pytest.mark.clickhouse
sandboxes = count(7_000_000)
RULES, PEOPLE = 30, 30


def ask(world: World, rules: list[Rule], people: dict) -> Asked:
    place = Place(next(sandboxes))
    identities = store(people, place)
    book = RuleBook(rules, [rules], {}, {}, [], VOCABULARY, world.clock.zone)
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=world.clock.now)
    owners = {one: profile for profile, own in identities.items() for one in own}
    return Asked(place, book, list(people), owners, at, at + timedelta(hours=26))


def some(seed: int) -> tuple[Asked, list[Rule]]:
    world = World(seed)
    people = {profile: world.facts() for profile in range(1, PEOPLE + 1)}
    rules = [Rule(f"seg_{number}", world.rule()) for number in range(RULES)]
    rules = decided_in_hand(rules, VOCABULARY)
    return ask(world, rules, people), rules


@settings(
    max_examples=settings().max_examples // 10,  # of so many rules and people each
    suppress_health_check=list(HealthCheck),
    derandomize=settings().max_examples <= 100,  # a long run looks elsewhere each time
)
@given(st.integers(0, 2**32))
def test_both_find_the_same_people_and_the_same_moments(seed):
    asked, rules = some(seed)
    # What is stored of a segment that is decided anew is out of date: here, that all are in it.
    held = {"seg_before": asked.profiles[::3], rules[0].id: asked.profiles}
    rules.append(Rule("seg_after", All((InSegment("seg_before"), Not(InSegment(rules[0].id))))))
    here, there, in_many = Answers(), Answers(), Answers()

    could = answer_in_hand(asked, rules, held, here)
    answer_by_statement(asked, rules, held, there)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segments.evaluation.rules.MOST_NODES", 250)
        answer_by_statement(asked, rules, held, in_many)

    assert could
    assert in_many == there
    assert {p: here.inside[p] for p in asked.profiles} == {
        p: there.inside[p] for p in asked.profiles
    }
    assert here.changes == there.changes
    for profile in asked.profiles:
        inside = here.inside[profile]
        after = profile in held["seg_before"] and rules[0].id not in inside
        assert ("seg_after" in inside) == after


def test_a_profile_without_a_row_is_in_nothing():
    world = World(1)
    rules = [Rule("seg_all", Constant(True))]
    asked = ask(world, rules, {1: world.facts()})
    asked.profiles.append(2)
    answers = Answers()

    answer_in_hand(asked, rules, {}, answers)

    assert answers.inside == {1: {"seg_all"}}


def test_more_events_than_can_be_held_are_left_to_the_store(monkeypatch):
    asked, rules = some(3)
    monkeypatch.setattr(in_hand, "MOST_EVENTS", 1)
    answers = Answers()

    assert not answer_in_hand(asked, rules, {}, answers)
    assert answers == Answers()


def test_what_asks_for_more_than_the_profile_is_left_to_the_store():
    anybody = Constant(True)
    own = Rule("seg_own", anybody)
    child = Rule("seg_child", InSegment("seg_own"))
    uploaded = Rule("seg_of_upload", InSegment("seg_upload"))
    looks_up = Rule("seg_look_up", Related(Field("sku", "event"), "sch_products", anybody))
    shared = Rule("seg_shared", InSegment(share_name(Share("cmp_1", 0, 5_000))))
    ranked = Rule("seg_ranked", Not(InSegment(ranked_name("cmp_1"))))
    grandchild = Rule("seg_grandchild", All((InSegment("seg_own"), InSegment("seg_ranked"))))

    found = decided_in_hand(
        [own, child, uploaded, looks_up, shared, ranked, grandchild], VOCABULARY
    )

    assert found == [own, child, uploaded]
