"""The tree of an expression."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written out."""

    value: Any


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the source row, by its first name."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A field of an object; of every object, if the parent is an array."""

    parent: "Node"
    name: str


@dataclass(frozen=True, slots=True)
class Every:
    """All items of an array; what follows is taken of each."""

    parent: "Node"


@dataclass(frozen=True, slots=True)
class Index:
    """One item of an array by its position, or of an object by its key."""

    parent: "Node"
    key: "Node"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator with one or two sides."""

    sign: str
    sides: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choose:
    """`condition ? yes : no`; only the chosen side is evaluated."""

    condition: "Node"
    yes: "Node"
    no: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Array:
    """An array written out."""

    items: tuple["Node", ...]


Node = Literal | Field | Member | Every | Index | Operation | Choose | Call | Array


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes right below."""
    match node:
        case Member(parent) | Every(parent):
            return (parent,)
        case Index(parent, key):
            return parent, key
        case Operation(_, sides):
            return sides
        case Choose(condition, yes, no):
            return condition, yes, no
        case Call(_, arguments):
            return arguments
        case Array(items):
            return items
    return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and everything below it."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(children(node))


def source_path(node: Node) -> str | None:
    """Return the path that a plain field reference reads, or None for anything else.

    >>> source_path(Member(Field("address"), "city"))
    'address.city'
    """
    match node:
        case Field(name):
            return name
        case Member(parent, name):
            above = source_path(parent)
            return None if above is None else f"{above}.{name}"
        case Every(parent) | Index(parent, _):
            return source_path(parent)
    return None
