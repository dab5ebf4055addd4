"""Every node of a rule with the scope it stands in, parents before children."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, assert_never

from segments.language.ast import (
    Aggregate,
    All,
    Any,
    Arithmetic,
    Compare,
    Condition,
    Constant,
    DatePart,
    Events,
    Field,
    FirstNonNull,
    Happened,
    In,
    InSegment,
    Instant,
    IsNull,
    ItemsMatch,
    Not,
    Occurs,
    Operand,
    Related,
    Sequence,
    Sets,
    Text,
    Value,
)
from segments.language.moments import Distance
from segments.language.scopes import PROFILE, Scope, bind
from segments.language.vocabulary import Vocabulary

Node = Condition | Operand
# What a field stands for: one value, a list of values, an array of items, or anything.
Role = Literal["value", "list", "array", "any"]


@dataclass(frozen=True, slots=True)
class Visit:
    """A node where it stands; `at` points to it in the JSON tree."""

    node: Node
    scope: Scope
    at: str
    role: Role = "value"


def walk(node: Node, words: Vocabulary, scope: Scope = PROFILE) -> Iterator[Visit]:
    """Yield a rule's nodes; what lies below an array that does not exist is left out."""
    waiting = [Visit(node, scope, "")]
    while waiting:
        visit = waiting.pop()
        yield visit
        waiting.extend(reversed(list(_children(visit, words))))


def _children(visit: Visit, words: Vocabulary) -> Iterator[Visit]:  # noqa: C901  # a case a node
    node, scope, at = visit.node, visit.scope, visit.at
    match node:
        case Constant() | InSegment() | Field() | Value() | Instant():
            return
        case All(of) | Any(of):
            yield from (Visit(child, scope, f"{at}/of/{n}") for n, child in enumerate(of))
        case Not(of):
            yield Visit(of, scope, f"{at}/of")
        case Compare(_, left, right) | Arithmetic(_, left, right):
            yield Visit(left, scope, f"{at}/left")
            yield Visit(right, scope, f"{at}/right")
        case Text(_, left):
            yield Visit(left, scope, f"{at}/left")
        case In(operand, values):
            yield Visit(operand, scope, f"{at}/operand")
            yield Visit(values, scope, f"{at}/values", "list")
        case Sets(_, left, right):
            yield Visit(left, scope, f"{at}/left", "list")
            yield Visit(right, scope, f"{at}/right", "list")
        case IsNull(operand):
            yield Visit(operand, scope, f"{at}/operand", "any")
        case Occurs(operand, window):
            yield Visit(operand, scope, f"{at}/operand")
            if isinstance(window, Distance) and isinstance(window.anchor, Field):
                yield Visit(window.anchor, scope, f"{at}/window/anchor")
        case DatePart(_, of):
            yield Visit(of, scope, f"{at}/operand")
        case FirstNonNull(options):
            yield from (Visit(each, scope, f"{at}/first_of/{n}") for n, each in enumerate(options))
        case Happened(events):
            yield from _where(events.where, scope.events(), f"{at}/where")
        case Sequence(steps):
            for number, step in enumerate(steps):
                yield Visit(step.where, scope.events(), f"{at}/steps/{number}/where")
        case ItemsMatch(_, array, where):
            yield from _items(array, where, scope, words, at)
        case Related(key, entity, where):
            yield Visit(key, scope, f"{at}/key")
            if entity in words.entities:
                yield Visit(where, scope.related(entity), f"{at}/where")
        case Aggregate():
            yield from _aggregate(node, scope, words, at)
        case _:
            assert_never(node)


def _aggregate(node: Aggregate, scope: Scope, words: Vocabulary, at: str) -> Iterator[Visit]:
    over = node.over
    inner: Scope | None
    if isinstance(over, Events):
        yield from _where(over.where, inner := scope.events(), f"{at}/events/where")
    else:
        outer = scope
        if over.events:
            outer = scope.events()
            yield from _where(over.events.where, outer, f"{at}/items/events/where")
        yield from _items(over.array, over.where, outer, words, f"{at}/items")
        array = bind(over.array, outer, words)
        inner = outer.items(array) if array else None
    if node.of is not None and inner is not None:
        yield Visit(node.of, inner, f"{at}/of")


def _items(
    array: Field, where: Condition | None, scope: Scope, words: Vocabulary, at: str
) -> Iterator[Visit]:
    yield Visit(array, scope, f"{at}/array", "array")
    bound = bind(array, scope, words)
    if bound is not None:
        yield from _where(where, scope.items(bound), f"{at}/where")


def _where(where: Condition | None, scope: Scope, at: str) -> Iterator[Visit]:
    if where is not None:
        yield Visit(where, scope, at)
