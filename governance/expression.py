"""The condition of a policy: labels joined by AND and OR. Pure.

The stored form is a tree: `{"label": "C4"}` or `{"operator": "OR", "operands": [...]}`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

MAX_DEPTH: Final = 8
MAX_LABELS: Final = 200


class Operator(StrEnum):
    """How the operands join."""

    AND = "AND"
    OR = "OR"


class BadExpression(ValueError):
    """The tree is no expression; `path` says where, `detail` what to write instead."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path = path
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Label:
    """True where the data carries the label."""

    name: str


@dataclass(frozen=True, slots=True)
class Group:
    """True where all (AND) or any (OR) of the operands are."""

    operator: Operator
    operands: tuple["Expression", ...]


Expression = Label | Group


def parse(tree: object, path: str = "deny") -> Expression:
    """Read a stored tree. Raises `BadExpression`.

    >>> describe(parse({"operator": "OR", "operands": [{"label": "C4"}, {"label": "C5"}]}))
    'C4 OR C5'
    """
    expression = _parse(tree, path, MAX_DEPTH)
    if len(list(_leaves(expression))) > MAX_LABELS:
        raise BadExpression(path, f"Use at most {MAX_LABELS} labels in one policy.")
    return expression


def to_tree(expression: Expression) -> dict[str, Any]:
    """Write an expression in its stored form; the opposite of `parse`."""
    if isinstance(expression, Label):
        return {"label": expression.name}
    operands = [to_tree(operand) for operand in expression.operands]
    return {"operator": expression.operator.value, "operands": operands}


def labels_in(expression: Expression) -> frozenset[str]:
    """Return every label the expression names."""
    return frozenset(_leaves(expression))


def matched(expression: Expression, labels: frozenset[str]) -> frozenset[str]:
    """Return the labels that make the expression true; none if it is false.

    >>> both = Group(Operator.AND, (Label("S1"), Label("I1")))
    >>> sorted(matched(both, frozenset({"I1", "S1", "C2"})))
    ['I1', 'S1']
    >>> matched(both, frozenset({"S1"}))
    frozenset()
    """
    if isinstance(expression, Label):
        return labels & {expression.name}
    found = [matched(operand, labels) for operand in expression.operands]
    if expression.operator is Operator.AND and not all(found):
        return frozenset()
    return frozenset().union(*found)


def describe(expression: Expression) -> str:
    """Write an expression for people.

    >>> describe(Group(Operator.AND, (Label("I1"), Group(Operator.OR, (Label("S1"), Label("S2"))))))
    'I1 AND (S1 OR S2)'
    """
    if isinstance(expression, Label):
        return expression.name
    return f" {expression.operator} ".join(
        f"({describe(operand)})" if isinstance(operand, Group) else operand.name
        for operand in expression.operands
    )


def _parse(tree: object, path: str, depth: int) -> Expression:
    if not isinstance(tree, Mapping):
        raise BadExpression(path, 'Write {"label": ...} or {"operator": ..., "operands": [...]}.')
    if set(tree) == {"label"}:
        return Label(_label(tree["label"], f"{path}.label"))
    if set(tree) != {"operator", "operands"}:
        raise BadExpression(path, "Give either `label`, or `operator` with `operands`.")
    if depth == 0:
        raise BadExpression(path, f"Nest at most {MAX_DEPTH} groups.")
    operands = tree["operands"]
    if not isinstance(operands, list) or not operands:
        raise BadExpression(f"{path}.operands", "Give a list of at least one operand.")
    return Group(
        _operator(tree["operator"], f"{path}.operator"),
        tuple(
            _parse(operand, f"{path}.operands.{index}", depth - 1)
            for index, operand in enumerate(operands)
        ),
    )


def _label(name: object, path: str) -> str:
    if not isinstance(name, str) or not name:
        raise BadExpression(path, "Give the name of a label, such as C4.")
    return name


def _operator(name: object, path: str) -> Operator:
    if name not in list(Operator):
        raise BadExpression(path, "The operator is AND or OR.")
    return Operator(str(name))


def _leaves(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Label):
        yield expression.name
    else:
        for operand in expression.operands:
            yield from _leaves(operand)
