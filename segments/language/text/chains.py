"""Sequences: CHAIN(xEvent, timestamp, [C0: WHAT(...), C1: WHAT(...) COUNT(= 0)])."""

from typing import TYPE_CHECKING, Any

from segments.language.ast import All, Condition, Field, Gap, Occurs, Sequence, Step
from segments.language.text import windows
from segments.language.text.literals import read_unit
from segments.language.text.names import EVENTS, Names
from segments.language.vocabulary import EVENT_TIME

if TYPE_CHECKING:
    from segments.language.text.resolver import Resolver

PREVIOUS = "previous"


def read(resolver: "Resolver", tree: Any, names: Names) -> Sequence:
    """Return the sequence of a syntax tree."""
    source, order, *steps = tree.children
    if (source, order) != (EVENTS, EVENT_TIME):
        raise resolver.refusal(
            tree, "chain", f"A CHAIN runs over {EVENTS} in the order of {EVENT_TIME}."
        )
    return Sequence(tuple(_step(resolver, step, names) for step in steps))


def _step(resolver: "Resolver", tree: Any, names: Names) -> Step:
    wheres: list[Condition] = []
    values: dict[str, Any] = {}
    for part in tree.children[1:]:
        match part.data:
            case "what":
                wheres.append(resolver.condition(part.children[0], names.of_event()))
            case "count":
                test, count = part.children
                if test not in (">=", "=", "<="):
                    raise resolver.refusal(
                        part, "bad_count", "A step counts >=, = or <= so many events."
                    )
                values |= {"test": str(test), "count": windows.whole(resolver, part, count)}
            case "within" | "after":
                count, unit = part.children
                values[part.data] = Gap(windows.whole(resolver, part, count), read_unit(unit))
            case _:
                _when(resolver, part.children[0], wheres, values, names)
    if not wheres:
        raise resolver.refusal(tree, "step_without_what", "A step says WHAT(...).")
    where = wheres[0] if len(wheres) == 1 else All(tuple(wheres))
    return Step(where, **values)


def _when(
    resolver: "Resolver", tree: Any, wheres: list[Condition], values: dict[str, Any], names: Names
) -> None:
    """Take in WHEN: a window of the step's own, or a distance from the previous step."""
    if tree.data == "distance" and _is_previous(tree.children[4]):
        test, count, unit, direction, _ = tree.children
        if direction == "before" or test not in ("<=", ">="):
            raise resolver.refusal(
                tree, "when", "WHEN(<= 2 days after previous) or WHEN(>= 1 hour after previous)."
            )
        name = "within" if test == "<=" else "after"
        values[name] = Gap(windows.whole(resolver, tree, count), read_unit(unit))
        return
    window = windows.read(resolver, tree, names.of_event())
    wheres.append(Occurs(Field(EVENT_TIME, "event"), window))


def _is_previous(tree: Any) -> bool:
    return bool(tree.data == "name" and tree.children[0] == PREVIOUS)
