"""Whether the kinds of values that a node brings together go together."""

from collections.abc import Iterator
from typing import Any

from segments.language.ast import (
    Aggregate,
    Arithmetic,
    Compare,
    DatePart,
    FirstNonNull,
    In,
    Instant,
    Operand,
    Related,
    Sets,
    Text,
)
from segments.language.errors import Problem
from segments.language.kinds import (
    DATED,
    NUMERIC,
    OperandKind,
    are_comparable,
    depth_of,
    kind_of,
    over_scope,
)
from segments.language.regex import BadPattern, checked
from segments.language.scopes import Scope
from segments.language.vocabulary import Vocabulary
from segments.language.walk import Node

NAMES = {"exact": "number", "instant": "time", "day": "date", "object": "group of fields"}


def kind_problems(node: Node, scope: Scope, words: Vocabulary) -> Iterator[Problem]:  # noqa: C901  # a case a node
    """Yield the mismatches of one node; an operand of no known kind is told elsewhere."""
    match node:
        case Compare():
            yield from _compare(node, scope, words)
        case Text():
            yield from _text(node, scope, words)
        case In(operand, values):
            yield from _single(operand, scope, words, "/operand")
            yield from _together(operand, values, scope, words)
            yield from _case(node.case_sensitive, kind_of(operand, scope, words))
        case Sets(_, left, right):
            yield from _together(left, right, scope, words)
        case Arithmetic(_, left, right):
            for side, part in (("/left", left), ("/right", right)):
                yield from _single(part, scope, words, side)
                yield from _needs(part, NUMERIC, "a number", scope, words, side)
        case DatePart(_, of):
            yield from _single(of, scope, words, "/operand")
            yield from _needs(of, DATED, "a time or a date", scope, words, "/operand")
        case FirstNonNull(options):
            for number, option in enumerate(options):
                yield from _single(option, scope, words, f"/first_of/{number}")
            kinds = [kind_of(option, scope, words) for option in options]
            if None not in kinds and kind_of(node, scope, words) in (None, "instant"):
                yield Problem("kinds_differ", "The values are not of one kind.")
        case Aggregate():
            yield from _measured(node, scope, words)
        case Related(key):
            yield from _needs(key, frozenset({"text"}), "a text", scope, words, "/key")
        case _:
            return


def _compare(node: Compare, scope: Scope, words: Vocabulary) -> Iterator[Problem]:
    left, right = kind_of(node.left, scope, words), kind_of(node.right, scope, words)
    if isinstance(node.left, Instant) and isinstance(node.right, Instant):
        yield Problem("two_moments", "Both sides are written moments: compare a field with one.")
        return
    yield from _together(node.left, node.right, scope, words)
    if left == right == "boolean" and node.operator not in ("=", "!="):
        yield Problem("no_order", "True and false have no order: use = or !=.")
    if depth_of(node.left, scope, words) and depth_of(node.right, scope, words):
        yield Problem("two_arrays", "Both sides are many values: put one into exists(...).")
    yield from _case(node.case_sensitive, left)


def _text(node: Text, scope: Scope, words: Vocabulary) -> Iterator[Problem]:
    yield from _needs(node.left, frozenset({"text"}), "a text", scope, words, "/left")
    if node.test == "matches":
        try:
            checked(node.right)
        except BadPattern as refusal:
            yield Problem("bad_pattern", str(refusal), "/right")


def _measured(node: Aggregate, scope: Scope, words: Vocabulary) -> Iterator[Problem]:
    inner = over_scope(node.over, scope, words)
    if node.of is None or inner is None:
        return
    if node.function in ("sum", "average"):
        yield from _needs(node.of, NUMERIC, "a number", inner, words, "/of")
    elif node.function in ("min", "max"):
        ordered = (NUMERIC | DATED) - {"instant"}
        yield from _needs(node.of, ordered, "a number, a time or a date", inner, words, "/of")


def _together(left: Operand, right: Operand, scope: Scope, words: Vocabulary) -> Iterator[Problem]:
    kinds = kind_of(left, scope, words), kind_of(right, scope, words)
    if kinds[0] and kinds[1] and not are_comparable(kinds[0], kinds[1]):
        one, other = (NAMES.get(kind, kind) for kind in kinds if kind)
        yield Problem("kinds_differ", f"A {one} cannot be compared with a {other}.")
    elif isinstance(value := getattr(right, "value", None), tuple) and value and not kinds[1]:
        yield Problem("kinds_differ", "The values of a list are of one kind.")


def _case(case_sensitive: bool, kind: OperandKind | None) -> Iterator[Problem]:
    if not case_sensitive and kind not in (None, "text"):
        yield Problem("no_case", "Only texts have upper and lower case.")


def _single(operand: Operand, scope: Scope, words: Vocabulary, at: str) -> Iterator[Problem]:
    if depth_of(operand, scope, words):
        detail = "This field has many values here: use exists(...) or an aggregate of its array."
        yield Problem("many_values", detail, at)


def _needs(
    operand: Any, kinds: frozenset[Any], name: str, scope: Scope, words: Vocabulary, at: str
) -> Iterator[Problem]:
    kind = kind_of(operand, scope, words)
    if kind is not None and kind not in kinds:
        yield Problem("wrong_kind", f"This must be {name}; it is a {NAMES.get(kind, kind)}.", at)
