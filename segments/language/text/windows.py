"""Windows of time in a syntax tree."""

from typing import TYPE_CHECKING, Any

from segments.language.ast import Field, Instant
from segments.language.moments import (
    Anchor,
    Between,
    Calendar,
    Direction,
    Distance,
    Moment,
    Shifted,
    Side,
    Unit,
    Window,
)
from segments.language.text.literals import read_number, read_unit
from segments.language.text.names import Names

if TYPE_CHECKING:
    from segments.language.text.resolver import Resolver


def read(resolver: "Resolver", tree: Any, names: Names) -> Window:
    """Return the window of a syntax tree."""
    match tree.data:
        case "distance":
            test, count, unit, direction, anchor = tree.children
            return Distance(
                str(test),  # type: ignore[arg-type]  # the grammar knows the signs
                whole(resolver, tree, count),
                read_unit(unit),
                _direction(direction),
                _anchor(resolver, anchor, names),
            )
        case "calendar":
            which, unit = tree.children
            return Calendar(str(which), read_unit(unit))  # type: ignore[arg-type]
        case "between":
            start, end = tree.children
            return Between(resolver.moment(start, names), resolver.moment(end, names))
        case "side":
            which, moment = tree.children
            return Side(str(which), resolver.moment(moment, names))  # type: ignore[arg-type]
        case _:
            return Side("on", Anchor(str(tree.children[0])))  # type: ignore[arg-type]


def shifted(
    resolver: "Resolver", count: Any, unit: Unit, direction: Any, moment: Moment
) -> Shifted:
    """Return a moment so many units from another."""
    return Shifted(whole(resolver, count, count), unit, _direction(direction), moment)


def whole(resolver: "Resolver", tree: Any, token: Any) -> int:
    """Return a whole number."""
    number = read_number(token)
    if isinstance(number, float):
        raise resolver.refusal(
            tree, "not_whole", "A window counts whole units: write 90 minutes for 1.5 hours."
        )
    return number


def _anchor(resolver: "Resolver", tree: Any, names: Names) -> Moment | Field:
    thing = resolver.thing(tree, names)
    match thing:
        case Instant(moment):
            return moment
        case Field():
            return thing
        case _:
            raise resolver.refusal(
                tree, "not_a_moment", "A distance is measured from a moment or a field."
            )


def _direction(word: Any) -> Direction:
    """Return which way; `3 days from now` is after now."""
    return "before" if word == "before" else "after"
