"""A rule as a JSON tree, in one canonical form."""

from typing import Any as Json
from typing import assert_never

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
    Items,
    ItemsMatch,
    Not,
    Occurs,
    Operand,
    Related,
    Scope,
    Sequence,
    Sets,
    Step,
    Text,
    Value,
)
from segments.language.tree_windows import write_moment, write_window


def write_condition(node: Condition, scope: Scope = "profile") -> dict[str, Json]:
    """Return the tree of a condition.

    >>> write_condition(Not(Constant(False)))
    {'type': 'not', 'of': {'type': 'constant', 'value': False}}
    """
    match node:
        case Constant(value):
            return {"type": "constant", "value": value}
        case All(of) | Any(of):
            kind = "all" if isinstance(node, All) else "any"
            return {"type": kind, "of": [write_condition(child, scope) for child in of]}
        case Not(of):
            return {"type": "not", "of": write_condition(of, scope)}
        case Happened(events):
            return {"type": "events", **_write_events(events)}
        case ItemsMatch(quantifier, array, where):
            return {
                "type": "items",
                "quantifier": quantifier,
                "array": _write_field(array, scope),
                "where": write_condition(where, "item"),
            }
        case Sequence(steps):
            return {"type": "sequence", "steps": [_write_step(step) for step in steps]}
        case InSegment(segment):
            return {"type": "segment", "id": segment}
        case Related(key, entity, where):
            return {
                "type": "related",
                "key": _write_field(key, scope),
                "entity": entity,
                "where": write_condition(where, "item"),
            }
        case Compare() | Text() | In() | Sets() | IsNull() | Occurs():
            return _write_test(node, scope)
        case _:
            assert_never(node)


def write_operand(node: Operand, scope: Scope) -> Json:
    """Return the tree of an operand."""
    match node:
        case Field():
            return _write_field(node, scope)
        case Value(value):
            return list(value) if isinstance(value, tuple) else value
        case Instant(moment):
            return {"time": write_moment(moment)}
        case Aggregate():
            return _write_aggregate(node, scope)
        case Arithmetic(operator, left, right):
            tree = {"arithmetic": operator, "left": write_operand(left, scope)}
            return {**tree, "right": write_operand(right, scope)}
        case DatePart(part, of):
            return {"part": part, "operand": write_operand(of, scope)}
        case FirstNonNull(options):
            return {"first_of": [write_operand(option, scope) for option in options]}
        case _:
            assert_never(node)


def _write_field(node: Field, scope: Scope) -> dict[str, Json]:
    """Return the tree of a field as said in a scope."""
    return {"field": node.path} if node.of == scope else {"field": node.path, "of": node.of}


def _write_events(events: Events) -> dict[str, Json]:
    """Return the tree of a choice of events."""
    return {} if events.where is None else {"where": write_condition(events.where, "event")}


def _write_items(items: Items, scope: Scope) -> dict[str, Json]:
    """Return the tree of a choice of items."""
    tree: dict[str, Json] = {"array": _write_field(items.array, "event" if items.events else scope)}
    if items.where is not None:
        tree["where"] = write_condition(items.where, "item")
    if items.events is not None:
        tree["events"] = _write_events(items.events)
    return tree


def _write_aggregate(node: Aggregate, scope: Scope) -> dict[str, Json]:
    tree: dict[str, Json] = {"aggregate": node.function}
    inner: Scope = "item" if isinstance(node.over, Items) else "event"
    if node.of is not None:
        tree["of"] = write_operand(node.of, inner)
    if isinstance(node.over, Items):
        return {**tree, "items": _write_items(node.over, scope)}
    return {**tree, "events": _write_events(node.over)}


def _write_test(
    node: Compare | Text | In | Sets | IsNull | Occurs, scope: Scope
) -> dict[str, Json]:
    match node:
        case Compare(operator, left, right, case_sensitive):
            tree = {"type": "compare", "operator": operator, "left": write_operand(left, scope)}
            return {**tree, "right": write_operand(right, scope), **_case(case_sensitive)}
        case Text(test, left, right, case_sensitive):
            tree = {"type": "text", "test": test, "left": write_operand(left, scope)}
            return {**tree, "right": right, **_case(case_sensitive)}
        case In(operand, values, negated, case_sensitive):
            return {
                "type": "not_in" if negated else "in",
                "operand": write_operand(operand, scope),
                "values": write_operand(values, scope),
                **_case(case_sensitive),
            }
        case Sets(test, left, right):
            field = _write_field(left, scope)
            return {
                "type": "sets",
                "test": test,
                "left": field,
                "right": write_operand(right, scope),
            }
        case IsNull(operand, negated):
            kind = "is_not_null" if negated else "is_null"
            return {"type": kind, "operand": write_operand(operand, scope)}
        case Occurs(operand, window, ignore_year):
            tree = {"type": "occurs", "operand": write_operand(operand, scope)}
            tree |= {"window": write_window(window, scope)}
            return {**tree, "ignore_year": True} if ignore_year else tree
        case _:
            assert_never(node)


def _case(sensitive: bool) -> dict[str, bool]:
    return {} if sensitive else {"case_sensitive": False}


def _write_step(step: Step) -> dict[str, Json]:
    tree: dict[str, Json] = {"where": write_condition(step.where, "event")}
    if (step.test, step.count) != (">=", 1):
        tree["count"] = {"test": step.test, "count": step.count}
    for name, gap in (("within", step.within), ("after", step.after)):
        if gap is not None:
            tree[name] = {"count": gap.count, "unit": gap.unit}
    return tree
