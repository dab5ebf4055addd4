"""The condition of a policy."""

import pytest

from governance.expression import (
    BadExpression,
    describe,
    labels_in,
    matched,
    parse,
    to_tree,
)

NESTED = {
    "operator": "AND",
    "operands": [
        {"label": "I1"},
        {"operator": "OR", "operands": [{"label": "S1"}, {"label": "S2"}]},
    ],
}


def test_a_tree_survives_parsing_and_writing():
    assert to_tree(parse(NESTED)) == NESTED


def test_it_names_its_labels_and_reads_as_a_sentence():
    assert labels_in(parse(NESTED)) == {"I1", "S1", "S2"}
    assert describe(parse(NESTED)) == "I1 AND (S1 OR S2)"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (set(), set()),
        ({"I1"}, set()),
        ({"S1", "S2"}, set()),
        ({"I1", "S2", "C4"}, {"I1", "S2"}),
        ({"I1", "S1", "S2"}, {"I1", "S1", "S2"}),
    ],
)
def test_and_needs_all_of_its_operands_and_tells_which_labels_met_it(labels, expected):
    assert matched(parse(NESTED), frozenset(labels)) == expected


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        ("C4", "deny"),
        ({}, "deny"),
        ({"label": ""}, "deny.label"),
        ({"label": 4}, "deny.label"),
        ({"label": "C4", "operator": "OR"}, "deny"),
        ({"operator": "NOT", "operands": [{"label": "C4"}]}, "deny.operator"),
        ({"operator": ["OR"], "operands": [{"label": "C4"}]}, "deny.operator"),
        ({"operator": "OR", "operands": []}, "deny.operands"),
        ({"operator": "OR", "operands": {"label": "C4"}}, "deny.operands"),
        ({"operator": "OR", "operands": [{"label": "C4"}, None]}, "deny.operands.1"),
    ],
)
def test_what_is_no_expression_is_refused_where_it_is_wrong(tree, path):
    with pytest.raises(BadExpression) as refused:
        parse(tree)

    assert refused.value.path == path


def test_depth_and_size_are_bounded():
    deep: dict[str, object] = {"label": "C4"}
    for _ in range(9):
        deep = {"operator": "OR", "operands": [deep]}
    wide = {"operator": "OR", "operands": [{"label": f"L{n}"} for n in range(201)]}

    with pytest.raises(BadExpression, match="Nest at most 8 groups"):
        parse(deep)
    with pytest.raises(BadExpression, match="at most 200 labels"):
        parse(wide)
