"""Any rule, any people: the SQL finds whom the matcher finds."""

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp.clickhouse import client
from segments.language.check import check
from segments.language.match import matches
from segments.language.sql.scan import Few, Rule
from segments.language.sql.touched import touched_scan
from segments.language.tree import write_tree
from tests.segments.generators import VOCABULARY, World
from tests.segments.people import Place, store

pytestmark = pytest.mark.clickhouse
sandboxes = count(1_000_000)
RULES, PEOPLE = 40, 40


def disagreements(seed: int, few: bool = False) -> list[object]:
    world = World(seed)
    people = {profile: world.facts() for profile in range(1, PEOPLE + 1)}
    rules = [Rule(f"seg_{number}", world.rule()) for number in range(RULES)]
    for rule in rules:
        assert check(rule.condition, VOCABULARY) == []
    place = Place(next(sandboxes))
    identities = store(people, place)
    chosen = list(people)[::2] if few else list(people)
    only = Few(chosen, [i for p in chosen for i in identities[p]]) if few else None

    statement = touched_scan(rules, VOCABULARY, world.clock, world.clock.now, only)
    rows = client.fetch_text(
        statement.text, sandbox=place, params=statement.parameters, budget=client.FULL
    )

    found = {profile: set(places) for profile, places, _ in rows}
    assert set(found) == set(chosen)
    return [
        (seed, number, write_tree(rule.condition), people[profile], world.clock)
        for number, rule in enumerate(rules)
        for profile in chosen
        if matches(rule.condition, people[profile], world.clock, VOCABULARY)
        != (number in found[profile])
    ]


@settings(
    max_examples=settings().max_examples // 5,  # of so many rules and people each
    suppress_health_check=list(HealthCheck),
    derandomize=settings().max_examples <= 100,  # a long run looks elsewhere each time
)
@given(st.integers(0, 2**32), st.booleans())
def test_sql_finds_whom_the_matcher_finds(seed, few):
    assert disagreements(seed, few) == []
