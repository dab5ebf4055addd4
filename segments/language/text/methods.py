"""Methods: what can be asked of a value, of events and of arrays with a dot."""

from typing import TYPE_CHECKING, Any

from segments.language.ast import (
    Aggregate,
    Compare,
    Comparison,
    DatePart,
    Events,
    Field,
    Function,
    Happened,
    In,
    IsNull,
    Items,
    ItemsMatch,
    Sets,
    Text,
    Value,
)
from segments.language.text.literals import read_name
from segments.language.text.names import InEvents, Names
from segments.language.text.printer import (
    CASELESS,
    PART_METHODS,
    SET_METHODS,
    TEXT_METHODS,
)

if TYPE_CHECKING:
    from segments.language.text.resolver import Resolver

COMPARISONS: dict[str, Comparison] = {name: sign for sign, name in CASELESS.items()}  # type: ignore[misc]
TEXT_TESTS = {name: test for test, name in TEXT_METHODS.items()}
SET_TESTS = {name: test for test, name in SET_METHODS.items()}
PARTS = {name: part for part, name in PART_METHODS.items()}
FUNCTIONS: dict[str, Function] = {
    name: name for name in ("count", "sum", "average", "min", "max", "distinct")
} | {"size": "count"}
FORALL_EVENTS = (
    "forall is asked of an array. Of events, say which there must not be: "
    'not (xEvent[eventType = "..." and not (...)]).'
)
OTHERS = ("exists", "forall", "isNull", "isNotNull", "in", "notIn", "includes", "get")
KNOWN = [*COMPARISONS, *TEXT_TESTS, *SET_TESTS, *PARTS, *FUNCTIONS, *OTHERS]


def read(resolver: "Resolver", tree: Any, names: Names) -> Any:
    """Return what a method call means."""
    callee, member, *arguments = tree.children
    name = read_name(member[1:].strip())
    if name not in KNOWN:
        raise resolver.unknown(member, "method", name, KNOWN)
    thing = resolver.thing(callee, names)
    if name in FUNCTIONS:
        return _aggregate(resolver, tree, FUNCTIONS[name], thing, arguments, names)
    if name in ("exists", "forall"):
        return _quantified(resolver, tree, name, thing, arguments, names)
    return _of_value(resolver, tree, name, arguments, names)


def listed(resolver: "Resolver", tree: Any, names: Names) -> Value | Field:
    """Return a written list, or a field that is one."""
    thing = resolver.thing(tree, names)
    if isinstance(thing, Field) or (isinstance(thing, Value) and isinstance(thing.value, tuple)):
        return thing
    raise resolver.refusal(
        tree, "not_a_list", "Here stands a list: [a, b], or a field that is one."
    )


def written_text(resolver: "Resolver", tree: Any, names: Names) -> str:
    """Return a written text."""
    thing = resolver.thing(tree, names)
    if isinstance(thing, Value) and isinstance(thing.value, str):
        return thing.value
    raise resolver.refusal(tree, "not_a_text", "Here stands a text in quotes.")


def _aggregate(
    resolver: "Resolver", tree: Any, function: Function, thing: Any, arguments: Any, names: Names
) -> Aggregate:
    over: Events | Items
    match thing:
        case Events() | Items():
            over = thing
        case Field():
            over = Items(thing)
        case InEvents(events, path):
            over = Items(Field(path, "event"), None, events)
        case _:
            raise resolver.refusal(
                tree, "not_a_list", f"{function} is asked of events or of an array."
            )
    if len(arguments) > 1:
        raise resolver.refusal(tree, "arguments", f"{function} takes one value at most.")
    inner = names.of_item() if isinstance(over, Items) else names.of_event()
    of = resolver.operand(arguments[0], inner) if arguments else None
    return Aggregate(function, over, of)


def _quantified(
    resolver: "Resolver", tree: Any, name: str, thing: Any, arguments: Any, names: Names
) -> Any:
    if len(arguments) > 1 or (name == "forall" and not arguments):
        raise resolver.refusal(tree, "arguments", f"{name} takes one condition.")
    match thing:
        case Events(where) if name == "exists":
            if not arguments:
                return Happened(thing)
            if where is None:
                return Happened(Events(resolver.condition(arguments[0], names.of_event())))
        case Field():
            if not arguments:
                return IsNull(thing, negated=True)
            where = resolver.condition(arguments[0], names.of_item())
            return ItemsMatch("any" if name == "exists" else "all", thing, where)
        case InEvents(events, path) if name == "exists":
            where = resolver.condition(arguments[0], names.of_item()) if arguments else None
            items = Items(Field(path, "event"), where, events)
            return Compare(">=", Aggregate("count", items), Value(1))
        case Events() | InEvents():
            raise resolver.refusal(tree, "forall_events", FORALL_EVENTS)
    raise resolver.refusal(tree, "not_a_list", f"{name} is asked of events or of an array.")


def _of_value(resolver: "Resolver", tree: Any, name: str, arguments: Any, names: Names) -> Any:
    callee = tree.children[0]
    wanted = 0 if name in PARTS or name in ("isNull", "isNotNull") else 1
    case_matters = wanted and (name in COMPARISONS or name in TEXT_TESTS or name in ("in", "notIn"))
    if not wanted <= len(arguments) <= wanted + bool(case_matters):
        extra = ", and whether case matters" if case_matters else ""
        raise resolver.refusal(
            tree, "arguments", f"{name} takes {'one value' if wanted else 'nothing'}{extra}."
        )
    sensitive = _truth(resolver, arguments[1], names) if len(arguments) > 1 else True
    if name in PARTS:
        return DatePart(PARTS[name], resolver.operand(callee, names))  # type: ignore[arg-type]
    if name in ("isNull", "isNotNull"):
        return IsNull(resolver.operand(callee, names), negated=name == "isNotNull")
    first = arguments[0]
    if name in COMPARISONS:
        left, right = resolver.operand(callee, names), resolver.operand(first, names)
        return Compare(COMPARISONS[name], left, right, sensitive)
    if name in TEXT_TESTS:
        part = written_text(resolver, first, names)
        return Text(TEXT_TESTS[name], resolver.operand(callee, names), part, sensitive)  # type: ignore[arg-type]
    if name in ("in", "notIn"):
        values = listed(resolver, first, names)
        return In(resolver.operand(callee, names), values, name == "notIn", sensitive)
    field = resolver.field(callee, names)
    if name in SET_TESTS:
        return Sets(SET_TESTS[name], field, listed(resolver, first, names))  # type: ignore[arg-type]
    if name == "includes":
        return Compare("=", field, resolver.operand(first, names))
    return resolver.below(field, written_text(resolver, first, names), tree)


def _truth(resolver: "Resolver", tree: Any, names: Names) -> bool:
    thing = resolver.thing(tree, names)
    if isinstance(thing, Value) and isinstance(thing.value, bool):
        return thing.value
    raise resolver.refusal(tree, "arguments", "Whether case matters is true or false.")
