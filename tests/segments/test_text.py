"""Rules as text: what can be written, and what is said of a mistake."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segments.language.errors import RuleError
from segments.language.parse import parse
from segments.language.print import print_rule
from segments.language.tree import read_tree, write_tree
from tests.segments.generators import VOCABULARY, World


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_a_rule_comes_back_from_its_text_and_from_its_tree(seed):
    world = World(seed)
    for rule in [world.rule() for _ in range(10)]:
        text = print_rule(rule)

        assert parse(text, VOCABULARY) == rule
        assert print_rule(parse(text)) == text
        assert read_tree(write_tree(rule)) == rule


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (
            'exists P from xEvent where P.eventType = "buy", I from P.items where I.sku = "s1"',
            'xEvent[eventType = "buy" and items.exists(sku = "s1")]',
        ),
        (
            "sum X.amount over X from xEvent where X.ok = true > 3",
            "xEvent[ok = true].sum(amount) > 3",
        ),
        ("let S = age in S = 1 or S > 2", "age = 1 or age > 2"),
        ("joined occurs <= 3 days from now", "joined occurs <= 3 days after now"),
        ("birth.getMonth() = currentMonth()", "birth.getMonth() = (now).getMonth()"),
        ("(P) => P.vip", "vip = true"),
        ('extra.get("k1") = "v"', 'extra.k1 = "v"'),
    ],
)
def test_other_ways_of_writing_mean_the_same(text, canonical):
    assert print_rule(parse(text, VOCABULARY)) == canonical


@pytest.mark.parametrize(
    ("text", "line", "column", "code", "hint"),
    [
        ('tiers = "a"', 1, 1, "unknown_path", "tier"),
        ('vip and\n  xEvent[eventtype = "buy"]', 2, 10, "unknown_path", "eventType"),
        ('orders.exists(skuu = "s1")', 1, 15, "unknown_path", "sku"),
        ("xEvent[amount = 3].sun(amount) > 2", 1, 19, "unknown_method", "sum"),
        ("age = 1 and (age = 2", 1, 21, "syntax", None),
        ("joined occurs < 3 dayz before now", 1, 19, "syntax", None),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_was_meant(text, line, column, code, hint):
    with pytest.raises(RuleError) as refusal:
        parse(text, VOCABULARY)

    problem = refusal.value.problems[0]
    assert (problem.line, problem.column, problem.code, problem.hint) == (line, column, code, hint)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not " * 3_000 + "vip", "too_deep"),
        ("(" * 500 + "vip" + ")" * 500, "too_deep"),
        ("vip or " * 150_000 + "vip", "too_large"),
    ],
)
def test_a_text_without_measure_is_refused(text, code):
    with pytest.raises(RuleError) as refusal:
        parse(text)

    assert [problem.code for problem in refusal.value.problems] == [code]


@pytest.mark.parametrize(
    ("text", "column", "code"),
    [
        ("age > " + "9" * 5_000, 7, "too_large"),
        ("age > -1e400", 8, "too_large"),
        (r'tier = "\ud800"', 8, "half_character"),
        (r'tier = "\u0000"', 8, "nul_character"),
        ("joined > 1.5 days before now", 10, "not_whole"),
        (f"joined > {'9' * 5_000} days before now", 10, "not_whole"),
        ('forall E from xEvent where E.eventType = "buy"', 15, "forall_events"),
        ('xEvent.forall(eventType = "buy")', 1, "forall_events"),
        ('xEvent[eventType = "buy"].lines.forall(sku = "s1")', 1, "forall_events"),
        ("forall O from orders", 15, "arguments"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_place(text, column, code):
    with pytest.raises(RuleError) as refusal:
        parse(text)

    [problem] = refusal.value.problems
    assert (problem.line, problem.column, problem.code) == (1, column, code)


def test_a_character_may_be_escaped_in_two_halves():
    assert parse(r'tier = "\ud83d\ude00"') == parse('tier = "\N{GRINNING FACE}"')
