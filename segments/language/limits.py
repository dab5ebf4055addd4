"""How large a rule may be, and which rules would scan without bound."""

from collections.abc import Iterator
from typing import Any as Json

from segments.language.ast import (
    Aggregate,
    All,
    Any,
    Compare,
    Condition,
    Events,
    Field,
    Happened,
    In,
    Items,
    Occurs,
    Sequence,
    Text,
    Value,
)
from segments.language.errors import Problem, RuleError
from segments.language.moments import Between, Calendar, Distance, Side, Window
from segments.language.vocabulary import EVENT_TIME, EVENT_TYPE, Vocabulary
from segments.language.walk import walk

MAX_DEPTH = 40
MAX_NODES = 5_000
MAX_SIZE = 200_000
MAX_TEXT = 100_000


def refuse_large_tree(tree: Json) -> None:
    """Raise `RuleError` if a tree is too deep or too large; this never recurses."""
    waiting, nodes, size = [(tree, 1)], 0, 0
    while waiting:
        node, depth = waiting.pop()
        nodes += not isinstance(node, str | int | float | None)
        size += len(node) if isinstance(node, str) else 8
        if depth > 3 * MAX_DEPTH:  # a level of conditions takes up to three of JSON
            _refuse("too_deep", f"A rule nests at most {MAX_DEPTH} conditions.")
        if nodes > MAX_NODES or size > MAX_SIZE:
            _refuse("too_large", f"A rule has at most {MAX_NODES} parts and {MAX_SIZE} characters.")
        if isinstance(node, dict):
            waiting.extend((child, depth + 1) for child in node.values())
            size += sum(len(str(key)) for key in node)
        elif isinstance(node, list):
            waiting.extend((child, depth + 1) for child in node)


def refuse_large_text(text: str) -> None:
    """Raise `RuleError` if a rule's text is too long or nests too deep to be parsed."""
    if len(text) > MAX_TEXT:
        _refuse("too_large", f"The text of a rule has at most {MAX_TEXT} characters.")
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if depth > MAX_DEPTH:
            _refuse("too_deep", f"Parentheses nest at most {MAX_DEPTH} deep.")


def scan_problems(rule: Condition, words: Vocabulary) -> list[Problem]:
    """Return the choices of events that would read every event there ever was."""
    return [
        Problem(
            "unbounded_scan",
            "This looks at every event there ever was: say which (eventType = ...) or since when "
            "(timestamp occurs <= 90 days before now).",
            at,
        )
        for where, at in _chosen(rule, words)
        if not _names_events(where)
    ]


def _chosen(rule: Condition, words: Vocabulary) -> Iterator[tuple[Condition | None, str]]:
    for visit in walk(rule, words):
        match visit.node:
            case Happened(Events(where)) | Aggregate(_, Events(where)):
                yield where, visit.at
            case Aggregate(_, Items(_, _, Events(where))):
                yield where, visit.at
            case Sequence(steps):
                for number, step in enumerate(steps):
                    yield step.where, f"{visit.at}/steps/{number}"


def _names_events(where: Condition | None) -> bool:
    """Return whether a condition holds the events to a type or to a window with a beginning."""
    match where:
        case All(of):
            return any(_names_events(child) for child in of)
        case Any(of):
            return all(_names_events(child) for child in of)
        case Compare("=", Field(path, "event"), Value()) | Compare(
            "=", Value(), Field(path, "event")
        ):
            return path == EVENT_TYPE
        case In(Field(path, "event"), Value(), False):
            return path == EVENT_TYPE
        case Text("starts_with", Field(path, "event")):
            return path == EVENT_TYPE
        case Occurs(Field(path, "event"), window, False):
            return path == EVENT_TIME and _has_beginning(window)
        case Compare(">" | ">=" | "=", Field(path, "event"), _):
            return path == EVENT_TIME
        case _:
            return False


def _has_beginning(window: Window) -> bool:
    match window:
        case Distance(test, _, _, direction):
            return direction == "after" or test in ("<", "<=", "=")
        case Side(which):
            return which != "before"
        case Calendar() | Between():
            return True


def _refuse(code: str, detail: str) -> None:
    raise RuleError([Problem(code, detail)])
