"""Whether a rule makes sense: every path known, every kind of value in its place."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from segments.language.ast import (
    Aggregate,
    Condition,
    Events,
    Field,
    Happened,
    InSegment,
    Instant,
    Items,
    ItemsMatch,
    Occurs,
    Related,
    Sequence,
    Value,
)
from segments.language.check_kinds import kind_problems
from segments.language.check_sequence import step_problems
from segments.language.check_windows import window_problems
from segments.language.errors import Problem
from segments.language.kinds import is_list
from segments.language.scopes import PROFILE, Scope, bind, is_allowed, locate
from segments.language.vocabulary import Vocabulary, suggest
from segments.language.walk import Visit, walk


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and the node at fault, by which a text's line and column are found."""

    node: object
    problem: Problem


def check(condition: Condition, words: Vocabulary, scope: Scope = PROFILE) -> list[Problem]:
    """Return everything that is wrong with a rule, in the order of the tree."""
    return [finding.problem for finding in findings(condition, words, scope)]


def findings(condition: Condition, words: Vocabulary, scope: Scope = PROFILE) -> list[Finding]:
    """Return everything that is wrong with a rule, with the nodes at fault."""
    found: list[Finding] = []
    for visit in walk(condition, words, scope):
        for problem in _problems(visit, words):
            placed = replace(problem, path=f"{visit.at}{problem.path}")
            found.append(Finding(visit.node, placed))
    return found


def _problems(visit: Visit, words: Vocabulary) -> Iterator[Problem]:  # noqa: C901  # a case a node
    node, scope = visit.node, visit.scope
    match node:
        case Field():
            yield from _field(node, visit, words)
        case Happened() | Sequence() | InSegment() if scope.level != "profile":
            yield Problem(
                "wrong_scope", "Events, sequences and segments are asked of a profile, not here."
            )
        case Sequence():
            yield from step_problems(node)
        case InSegment(segment) if not segment:
            yield Problem("segment_missing", "Say which segment.", "/id")
        case Value(value):
            yield from _value(value, visit)
        case Occurs() | Instant() if scope.base == "entity":
            yield Problem("time_in_look_up", "What is looked up is not compared with the time.")
        case Occurs():
            yield from window_problems(node, scope, words)
        case Related():
            yield from _related(node, scope, words)
        case Aggregate():
            yield from _aggregate(node, scope, words)
        case ItemsMatch(_, array):
            yield from _array(array, scope, words, "/array", plain=False)
        case _:
            pass
    yield from kind_problems(node, scope, words)


def _field(field: Field, visit: Visit, words: Vocabulary) -> Iterator[Problem]:
    scope = visit.scope
    if not is_allowed(field, scope):
        yield Problem(
            "wrong_scope", f"{field.path} is a field of {_owner(field)}, not looked at here."
        )
        return
    bound = bind(field, scope, words)
    if bound is None:
        base, path, _ = locate(field, scope)
        under = path.removesuffix(field.path)
        meant = words.suggest(base, field.path, under, scope.entity)
        tail = f"; did you mean {meant!r}?" if meant else "."
        detail = f"There is no field {field.path!r} of {_owner(field)}{tail}"
        yield Problem("unknown_path", detail, hint=meant)
    elif visit.role == "value" and bound.known.kind == "object":
        yield Problem("not_a_value", f"{field.path} is a group of fields: name one of them.")
    elif visit.role == "list" and (not is_list(bound) or bound.depth != 1):
        yield Problem("not_a_list", f"{field.path} is no list of plain values.")


def _value(value: object, visit: Visit) -> Iterator[Problem]:
    if visit.role != "list":
        if isinstance(value, tuple):
            yield Problem(
                "list_not_here", "A list is asked with in, intersects, subsetOf or supersetOf."
            )
    elif not isinstance(value, tuple) or not value:
        yield Problem("not_a_list", "Write a list of values: [a, b].")


def _aggregate(node: Aggregate, scope: Scope, words: Vocabulary) -> Iterator[Problem]:
    over = node.over
    events = over if isinstance(over, Events) else over.events
    if events is not None and scope.level != "profile":
        yield Problem("wrong_scope", "Events are counted for a profile, not inside one event.")
    elif isinstance(over, Items):
        inner = scope.events() if events else scope
        yield from _array(over.array, inner, words, "/items/array", plain=over.where is None)
    if node.of is None and node.function != "count":
        yield Problem("value_missing", f"Say of which value: {node.function}(field).")


def _array(
    field: Field, scope: Scope, words: Vocabulary, at: str, *, plain: bool
) -> Iterator[Problem]:
    bound = bind(field, scope, words)
    if bound is None:
        return  # told at the field itself
    if not bound.known.array or bound.depth != 1:
        yield Problem("not_an_array", f"{field.path} is no array that can be looked into here.", at)
    elif is_list(bound) and not plain:
        yield Problem("not_an_array", f"The values of {field.path} have no fields.", at)


def _related(node: Related, scope: Scope, words: Vocabulary) -> Iterator[Problem]:
    entity = words.entity(node.entity)
    if entity is None:
        known = sorted(each.title for each in words.entities.values())
        meant = suggest(node.entity, known)
        tail = f"; there are: {', '.join(known)}." if known else "."
        detail = f"There is no look-up entity {node.entity!r}{tail}"
        yield Problem("unknown_entity", detail, "/entity", hint=meant)
        return
    base, path, _ = locate(node.key, scope)
    if bind(node.key, scope, words) and (base, path) not in entity.references:
        leading = sorted(path for _, path in entity.references)
        tail = f"; these do: {', '.join(leading)}." if leading else ": add a relationship first."
        yield Problem("no_relationship", f"{path} does not lead to {entity.title!r}{tail}", "/key")


def _owner(field: Field) -> str:
    return {"profile": "a profile", "event": "an event", "item": "this item"}[field.of]
