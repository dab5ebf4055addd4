"""What is told of a tree that is out of shape."""

import pytest

from segments.compositions.reading import read_definition
from segments.language.errors import RuleError
from segments.language.tree import read_tree
from segments.language.vocabulary import Vocabulary

AGE = {"field": "age"}
EVERYBODY = {"type": "rule", "text": "true"}


def compare(**given):
    return {"type": "compare", "operator": "=", "left": AGE, "right": 1, **given}


@pytest.mark.parametrize(
    ("tree", "path", "detail"),
    [
        ({}, "", '"type" is a required property'),
        ({"type": "compair"}, "", "There is no type 'compair' here. Did you mean 'compare'?"),
        ({"type": 5}, "", "There is no type '5' here. There are: constant, all, any"),
        ({"type": "all", "of": []}, "/of", "[] has less than 1 item"),
        (
            {"type": "all", "of": [{"type": "not", "of": {"type": "x"}}]},
            "/of/0/of",
            "There is no type 'x' here.",
        ),
        (compare(operator="=="), "/operator", '"==" is not one of'),
        (compare(junk=1), "", "Additional properties are not allowed ('junk' was unexpected)"),
        (compare(left={"field": 5}), "/left/field", '5 is not of type "string"'),
        (compare(right=None), "/right", "None of the forms fits"),
        (compare(right="a" * 20_000), "/right", '"aaaa'),
        ({"type": "in", "operand": AGE, "values": []}, "/values", "[] has less than 1 item"),
        ({"type": "sequence", "steps": [{}]}, "/steps/0", '"where" is a required property'),
        ({"type": "text", "test": "like", "left": AGE, "right": 5}, "/right", "5 is not of type"),
    ],
)
def test_a_tree_is_told_where_it_is_wrong_and_what_is_missing(tree, path, detail):
    with pytest.raises(RuleError) as refusal:
        read_tree(tree)

    problem = refusal.value.problems[0]
    assert (problem.code, problem.path) == ("shape", path)
    assert problem.detail.startswith(detail)
    assert len(problem.detail) <= 310


@pytest.mark.parametrize(
    ("tree", "path", "detail"),
    [
        ({}, "", '"of" is a required property'),
        ({"of": None}, "/of", 'null is not of type "object"'),
        ({"of": {"type": "rule"}}, "/of", "One of these is required: rule, text."),
        ({"of": EVERYBODY, "split": {"by": "nope"}}, "/split", "There is no by 'nope' here."),
        (
            {"of": EVERYBODY, "split": {"by": "share"}},
            "/split",
            '"branches" is a required property',
        ),
    ],
)
def test_a_composition_is_told_where_it_is_wrong(tree, path, detail):
    with pytest.raises(RuleError) as refusal:
        read_definition(tree, Vocabulary())

    problem = refusal.value.problems[0]
    assert (problem.path, problem.detail[: len(detail)]) == (path, detail)


def test_what_is_missing_is_told_all_at_once():
    with pytest.raises(RuleError) as refusal:
        read_tree({"type": "compare"})

    assert [problem.detail for problem in refusal.value.problems] == [
        f'"{name}" is a required property' for name in ("operator", "left", "right")
    ]
