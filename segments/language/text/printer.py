"""A rule as text, in one canonical way."""

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
from segments.language.text.literals import write_count, write_path, write_text
from segments.language.text.times import write_moment, write_window

SUBJECTS = {"profile": "$1", "event": "$2"}
# Comparisons that do not mind case are methods; the others are signs.
CASELESS = {
    "=": "equals",
    "!=": "notEqualTo",
    "<": "isLessThan",
    "<=": "isAtMost",
    ">": "isGreaterThan",
    ">=": "isAtLeast",
}
TEXT_METHODS = {
    "starts_with": "startsWith",
    "does_not_start_with": "doesNotStartWith",
    "ends_with": "endsWith",
    "does_not_end_with": "doesNotEndWith",
    "contains": "contains",
    "does_not_contain": "doesNotContain",
    "like": "like",
    "matches": "matches",
}
SET_METHODS = {"intersects": "intersects", "subset_of": "subsetOf", "superset_of": "supersetOf"}
PART_METHODS = {"year": "getYear", "month": "getMonth", "day": "getDayOfMonth"}


def write(node: Condition, scope: Scope = "profile") -> str:  # noqa: C901  # a case a node
    """Return a condition as text.

    >>> write(Not(Compare(">=", Field("score"), Value(2.5))))
    'not (score >= 2.5)'
    """
    match node:
        case Constant(value):
            return "true" if value else "false"
        case All(of):
            return " and ".join(_part(child, scope) for child in of)
        case Any(of):
            return " or ".join(_part(child, scope) for child in of)
        case Not(of):
            return f"not ({write(of, scope)})"
        case Happened(events):
            return _events(events)
        case ItemsMatch(quantifier, array, where):
            method = "exists" if quantifier == "any" else "forall"
            return f"{operand(array, scope)}.{method}({write(where, 'item')})"
        case Sequence(steps):
            written = ", ".join(f"C{number}: {_step(step)}" for number, step in enumerate(steps))
            return f"CHAIN(xEvent, timestamp, [{written}])"
        case InSegment(segment):
            return f"inSegment({write_text(segment)})"
        case Related(key, entity, where):
            found = f"lookup({operand(key, scope)}, {write_text(entity)})"
            return f"{found}[{write(where, 'item')}]"
        case Compare() | Text() | In() | Sets() | IsNull() | Occurs():
            return _test(node, scope)
        case _:
            assert_never(node)


def operand(node: Operand, scope: Scope) -> str:
    """Return an operand as text."""
    match node:
        case Field(path, of):
            return (
                write_path(path)
                if of == scope
                else f"{SUBJECTS[of]}.{write_path(path, first=False)}"
            )
        case Value(value):
            return _value(value)
        case Instant(moment):
            return write_moment(moment)
        case Aggregate():
            return _aggregate(node, scope)
        case Arithmetic(operator, left, right):
            return f"({operand(left, scope)} {operator} {operand(right, scope)})"
        case DatePart(part, of):
            inner = operand(of, scope)
            inner = f"({inner})" if isinstance(of, Instant) else inner
            return f"{inner}.{PART_METHODS[part]}()"
        case FirstNonNull(options):
            return f"firstNonNull({', '.join(operand(option, scope) for option in options)})"
        case _:
            assert_never(node)


def _part(node: Condition, scope: Scope) -> str:
    text = write(node, scope)
    return f"({text})" if isinstance(node, All | Any) else text


def _test(node: Compare | Text | In | Sets | IsNull | Occurs, scope: Scope) -> str:
    match node:
        case Compare(sign, left, right, case_sensitive):
            one, other = operand(left, scope), operand(right, scope)
            if case_sensitive:
                return f"{one} {sign} {other}"
            return f"{_callee(left, one)}.{CASELESS[sign]}({other}, false)"
        case Text(test, left, part, case_sensitive):
            one = _callee(left, operand(left, scope))
            tail = "" if case_sensitive else ", false"
            return f"{one}.{TEXT_METHODS[test]}({write_text(part)}{tail})"
        case In(value, values, negated, case_sensitive):
            one, among = operand(value, scope), operand(values, scope)
            if case_sensitive:
                return f"{one} {'notIn' if negated else 'in'} {among}"
            return f"{_callee(value, one)}.{'notIn' if negated else 'in'}({among}, false)"
        case Sets(test, left, right):
            return f"{operand(left, scope)}.{SET_METHODS[test]}({operand(right, scope)})"
        case IsNull(value, negated):
            one = _callee(value, operand(value, scope))
            return f"{one}.{'isNotNull' if negated else 'isNull'}()"
        case Occurs(value, window, ignore_year):
            tail = " ignoring year" if ignore_year else ""
            anchor = lambda field: operand(field, scope)  # noqa: E731  # named by its parameter
            return f"{operand(value, scope)} occurs {write_window(window, anchor)}{tail}"
        case _:
            assert_never(node)


def _callee(node: Operand, text: str) -> str:
    """Return what a method is called on; what begins with more than a name, in parentheses."""
    return f"({text})" if isinstance(node, Instant) or text.startswith("-") else text


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return write_text(value) if isinstance(value, str) else repr(value)


def _events(events: Events) -> str:
    return "xEvent" if events.where is None else f"xEvent[{write(events.where, 'event')}]"


def _aggregate(node: Aggregate, scope: Scope) -> str:
    inner: Scope = "event"
    over = node.over
    if isinstance(over, Items):
        inner = "item"
        if over.events is not None:
            source = f"{_events(over.events)}.{write_path(over.array.path, first=False)}"
        else:
            source = operand(over.array, scope)
        if over.where is not None:
            source += f"[{write(over.where, 'item')}]"
    else:
        source = _events(over)
    of = "" if node.of is None else operand(node.of, inner)
    return f"{source}.{node.function}({of})"


def _step(step: Step) -> str:
    text = f"WHAT({write(step.where, 'event')})"
    if (step.test, step.count) != (">=", 1):
        text += f" COUNT({step.test} {step.count})"
    if step.within is not None:
        text += f" WITHIN({_gap(step.within)})"
    if step.after is not None:
        text += f" AFTER({_gap(step.after)})"
    return text


def _gap(gap: Gap) -> str:
    return write_count(gap.count, gap.unit)
