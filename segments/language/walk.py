"""Every node of a rule with the scope it stands in, parents before children."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
    """A node where it stands; `at` points to it in the JSON tree.

    `choice` is the choice of events that it is part of, if it is part of one.
    """

    node: Node
    scope: Scope
    at: str
    role: Role = "value"
    choice: Condition | None = None


def walk(node: Node, words: Vocabulary, scope: Scope = PROFILE) -> Iterator[Visit]:
    """Yield a rule's nodes; what lies below an array that does not exist is left out."""
    waiting = [Visit(node, scope, "")]
    while waiting:
        visit = waiting.pop()
        yield visit
        children = [_in_choice(child, visit) for child in _children(visit, words)]
        waiting.extend(reversed(children))


def _in_choice(child: Visit, parent: Visit) -> Visit:
    """Return a child with the choice of events it stands in: a new one, or its parent's."""
    if child.choice is None and child.scope.in_event and parent.choice is not None:
        return replace(child, choice=parent.choice)
    return child


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
            yield from _chosen(events, scope, f"{at}/where")
        case Sequence(steps):
            for number, step in enumerate(steps):
                place = f"{at}/steps/{number}/where"
                yield Visit(step.where, scope.events(), place, choice=step.where)
        case ItemsMatch(_, array, where):
            yield from _items(array, where, scope, words, at)
        case Related(key, entity, where):
            yield Visit(key, scope, f"{at}/key")
            if words.entity(entity):
                yield Visit(where, scope.related(entity), f"{at}/where")
        case Aggregate():
            yield from _aggregate(node, scope, words, at)
        case _:
            assert_never(node)


def _aggregate(node: Aggregate, scope: Scope, words: Vocabulary, at: str) -> Iterator[Visit]:
    over = node.over
    inner: Scope | None
    if isinstance(over, Events):
        inner = scope.events()
        yield from _chosen(over, scope, f"{at}/events/where")
    else:
        outer = scope
        if over.events:
            outer = scope.events()
            yield from _chosen(over.events, scope, f"{at}/items/events/where")
        choice = over.events.where if over.events else None
        for visit in _items(over.array, over.where, outer, words, f"{at}/items"):
            yield replace(visit, choice=choice)
        array = bind(over.array, outer, words)
        inner = outer.items(array) if array else None
    if node.of is not None and inner is not None:
        events = over if isinstance(over, Events) else over.events
        yield Visit(node.of, inner, f"{at}/of", choice=events.where if events else None)


def _items(
    array: Field, where: Condition | None, scope: Scope, words: Vocabulary, at: str
) -> Iterator[Visit]:
    yield Visit(array, scope, f"{at}/array", "array")
    bound = bind(array, scope, words)
    if bound is not None:
        yield from _where(where, scope.items(bound), f"{at}/where")


def _chosen(events: Events, scope: Scope, at: str) -> Iterator[Visit]:
    if events.where is not None:
        yield Visit(events.where, scope.events(), at, choice=events.where)


def _where(where: Condition | None, scope: Scope, at: str) -> Iterator[Visit]:
    if where is not None:
        yield Visit(where, scope, at)
