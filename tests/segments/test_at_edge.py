"""What is decided from one request never disagrees with what is decided from everything."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segments.evaluation.at_edge import Visitor, decide_all, edge_rule
from segments.language.ast import InSegment, Related
from segments.language.match import matches
from segments.language.sql.scan import Rule
from segments.language.walk import walk
from tests.segments.generators import VOCABULARY, World


def decide(rules, visitor, *, is_late=lambda: False):
    prepared = [edge_rule(rule, VOCABULARY) for rule in rules]
    return decide_all(prepared, visitor, is_late)


def asks(rule, kind):
    return any(isinstance(visit.node, kind) for visit in walk(rule.condition, VOCABULARY))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_whoever_is_moved_is_moved_rightly(seed):
    world = World(seed)
    everything = world.facts()
    request = replace(everything, events=everything.events[::2], entities={})
    rules = [Rule(f"seg_{number}", world.rule()) for number in range(20)]
    rules = [rule for rule in rules if not asks(rule, InSegment)]

    if_out = decide(rules, Visitor(request, world.clock, frozenset()))
    if_in = decide(rules, Visitor(request, world.clock, frozenset(rule.id for rule in rules)))

    true = {r.id for r in rules if matches(r.condition, everything, world.clock, VOCABULARY)}
    assert if_out <= true <= if_in  # it enters only who is in, and takes out only who is not


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_all_is_decided_of_somebody_who_has_no_history(seed):
    world = World(seed)
    facts = world.facts()
    rules = [Rule(f"seg_{number}", world.rule()) for number in range(20)]
    rules = [rule for rule in rules if not asks(rule, InSegment) and not asks(rule, Related)]

    found = decide(rules, Visitor(facts, world.clock, held=None))

    assert found == {r.id for r in rules if matches(r.condition, facts, world.clock, VOCABULARY)}


@pytest.mark.parametrize("held", [True, False])
def test_what_comes_too_late_is_as_it_was_written(held):
    world = World(7)
    rule = Rule("seg_a", world.rule())
    stored = frozenset({"seg_a"} if held else ())

    found = decide([rule], Visitor(world.facts(), world.clock, stored), is_late=lambda: True)

    assert found == stored
