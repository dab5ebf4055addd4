"""A JSON tree as a rule: what the schema lets through is read without further questions."""

from collections.abc import Callable
from typing import Any as Json

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
    Gap,
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
from segments.language.tree_windows import read_moment, read_window


def read_condition(tree: Json, scope: Scope = "profile") -> Condition:
    """Return the condition of a tree that conforms to the schema."""
    reader = _READERS[tree["type"]]
    return reader(tree, scope)


def read_operand(tree: Json, scope: Scope) -> Operand:
    """Return the operand of a tree that conforms to the schema."""
    if not isinstance(tree, dict):
        return Value(
            tuple(_plain(item) for item in tree) if isinstance(tree, list) else _plain(tree)
        )
    if "field" in tree:
        return _read_field(tree, scope)
    if "time" in tree:
        return Instant(read_moment(tree["time"]))
    if "aggregate" in tree:
        return _read_aggregate(tree, scope)
    if "arithmetic" in tree:
        left, right = read_operand(tree["left"], scope), read_operand(tree["right"], scope)
        return Arithmetic(tree["arithmetic"], left, right)
    if "part" in tree:
        return DatePart(tree["part"], read_operand(tree["operand"], scope))
    return FirstNonNull(tuple(read_operand(option, scope) for option in tree["first_of"]))


def _read_field(tree: Json, scope: Scope) -> Field:
    """Return the field of a tree."""
    return Field(tree["field"], tree.get("of", scope))


def _read_value(tree: Json, scope: Scope) -> Value | Field:
    """Return a written list or a field that is one."""
    if isinstance(tree, dict):
        return _read_field(tree, scope)
    return Value(tuple(_plain(item) for item in tree))


def _read_events(tree: Json) -> Events:
    """Return the choice of events of a tree."""
    return Events(read_condition(tree["where"], "event") if "where" in tree else None)


def _read_items(tree: Json, scope: Scope) -> Items:
    """Return the choice of items of a tree."""
    events = _read_events(tree["events"]) if "events" in tree else None
    array = _read_field(tree["array"], "event" if events else scope)
    where = read_condition(tree["where"], "item") if "where" in tree else None
    return Items(array, where, events)


def _read_aggregate(tree: Json, scope: Scope) -> Aggregate:
    over = (
        _read_items(tree["items"], scope)
        if "items" in tree
        else _read_events(tree.get("events", {}))
    )
    inner: Scope = "item" if isinstance(over, Items) else "event"
    of = read_operand(tree["of"], inner) if "of" in tree else None
    return Aggregate(tree["aggregate"], over, of)


def _read_step(tree: Json) -> Step:
    count = tree.get("count", {"test": ">=", "count": 1})
    gaps = {name: _read_gap(tree[name]) for name in ("within", "after") if name in tree}
    return Step(read_condition(tree["where"], "event"), count["test"], count["count"], **gaps)


def _read_gap(tree: Json) -> Gap:
    return Gap(tree["count"], tree["unit"])


def _read_container(tree: Json, scope: Scope) -> Condition:
    children = tuple(read_condition(child, scope) for child in tree["of"])
    if len(children) == 1:
        return children[0]
    return All(children) if tree["type"] == "all" else Any(children)


def _read_compare(tree: Json, scope: Scope) -> Compare:
    left, right = read_operand(tree["left"], scope), read_operand(tree["right"], scope)
    return Compare(tree["operator"], left, right, tree.get("case_sensitive", True))


def _read_text(tree: Json, scope: Scope) -> Text:
    left = read_operand(tree["left"], scope)
    return Text(tree["test"], left, tree["right"], tree.get("case_sensitive", True))


def _read_in(tree: Json, scope: Scope) -> In:
    operand, values = read_operand(tree["operand"], scope), _read_value(tree["values"], scope)
    return In(operand, values, tree["type"] == "not_in", tree.get("case_sensitive", True))


def _read_occurs(tree: Json, scope: Scope) -> Occurs:
    operand, window = read_operand(tree["operand"], scope), read_window(tree["window"], scope)
    return Occurs(operand, window, tree.get("ignore_year", False))


def _read_items_match(tree: Json, scope: Scope) -> ItemsMatch:
    where = read_condition(tree["where"], "item")
    return ItemsMatch(tree["quantifier"], _read_field(tree["array"], scope), where)


def _plain(value: Json) -> Json:
    """Return a written value; minus zero is zero."""
    return value + 0.0 if isinstance(value, float) else value


_READERS: dict[str, Callable[[Json, Scope], Condition]] = {
    "constant": lambda tree, scope: Constant(tree["value"]),
    "all": _read_container,
    "any": _read_container,
    "not": lambda tree, scope: Not(read_condition(tree["of"], scope)),
    "compare": _read_compare,
    "text": _read_text,
    "in": _read_in,
    "not_in": _read_in,
    "sets": lambda tree, scope: Sets(
        tree["test"], _read_field(tree["left"], scope), _read_value(tree["right"], scope)
    ),
    "is_null": lambda tree, scope: IsNull(read_operand(tree["operand"], scope)),
    "is_not_null": lambda tree, scope: IsNull(read_operand(tree["operand"], scope), negated=True),
    "occurs": _read_occurs,
    "events": lambda tree, scope: Happened(_read_events(tree)),
    "items": _read_items_match,
    "sequence": lambda tree, scope: Sequence(tuple(_read_step(step) for step in tree["steps"])),
    "segment": lambda tree, scope: InSegment(tree["id"]),
    "related": lambda tree, scope: Related(
        _read_field(tree["key"], scope), tree["entity"], read_condition(tree["where"], "item")
    ),
}
