"""What a test of a profile is made of, and pieces of SQL over arrays of what it measures."""

from collections.abc import Iterator
from typing import Any

from segments.language import ast
from segments.language.ast import (
    Aggregate,
    Arithmetic,
    DatePart,
    Events,
    Field,
    FirstNonNull,
    Operand,
)


def is_of_events(node: Aggregate) -> bool:
    """Return whether an aggregate runs over events of the profile."""
    return isinstance(node.over, Events) or node.over.events is not None


def operands_of(node: Any) -> Iterator[Operand]:
    """Yield the operands of a test, without what stands in choices of events and items."""
    match node:
        case ast.Compare(_, left, right) | Arithmetic(_, left, right):
            children: tuple[Any, ...] = (left, right)
        case ast.Text(_, left):
            children = (left,)
        case ast.In(operand, values):
            children = (operand, values)
        case ast.Sets(_, left, right):
            children = (left, right)
        case ast.IsNull(operand) | DatePart(_, operand):
            children = (operand,)
        case ast.Occurs(operand, window):
            anchor = getattr(window, "anchor", None)
            children = (operand, anchor) if isinstance(anchor, Field) else (operand,)
        case FirstNonNull(options):
            children = options
        case ast.ItemsMatch(_, array) | ast.Related(array):
            children = (array,)
        case _:
            children = ()
    for child in children:
        yield child
        yield from operands_of(child)


def present(array: str) -> str:
    """Return the values of an array that are there."""
    return f"arrayFilter(x -> isNotNull(x), {array})"


def assumed(array: str) -> str:
    """Return an array without its NULLs, by its type too."""
    return f"arrayMap(n -> assumeNotNull(n), {present(array)})"


def best(function: str, array: str) -> str:
    """Return the smallest or the largest of an array, NULL of an empty one."""
    there = present(array)
    return f"if(empty({there}), NULL, array{function.title()}({assumed(array)}))"
