"""A syntax tree as a rule: what each name, method and function means where it stands."""

from collections.abc import Callable
from typing import Any

from lark import Token, Tree

from segments.language import ast
from segments.language.ast import (
    Aggregate,
    All,
    Arithmetic,
    Compare,
    Condition,
    Constant,
    Events,
    Field,
    Happened,
    In,
    Instant,
    IsNull,
    Items,
    ItemsMatch,
    Not,
    Occurs,
    Operand,
    Related,
    Text,
    Value,
)
from segments.language.errors import Problem, RuleError
from segments.language.moments import Anchor, Moment
from segments.language.text import chains, functions, methods, windows, written
from segments.language.text.literals import read_name, read_unit
from segments.language.text.names import EVENTS, InEvents, LookUp, Names, Variable, Whole
from segments.language.vocabulary import suggest

CONDITIONS = (
    Constant, All, ast.Any, Not, Compare, Text, In, ast.Sets, IsNull, Occurs, Happened,
    ItemsMatch, ast.Sequence, ast.InSegment, Related,
)  # fmt: skip
OPERANDS = (
    Field, Value, Instant, Aggregate, Arithmetic, ast.DatePart, ast.FirstNonNull,
)  # fmt: skip
SUBJECTS = {"$1": Variable("profile"), "$2": Variable("event")}

# Whatever an expression can be before it is known how it is used.
Thing = Any


class Resolver:
    """Reads syntax trees; remembers where in the text each node came from."""

    def __init__(self) -> None:
        self.places: dict[int, tuple[int, int]] = {}
        self.kept: list[object] = []  # so that no other node gets the id of one of these

    # --- what a place of the text asks for -----------------------------------------------------

    def condition(self, tree: Any, names: Names) -> Condition:
        """Return an expression that is true or false."""
        thing = self.thing(tree, names)
        if isinstance(thing, CONDITIONS):
            return thing
        made: Condition
        match thing:
            case Events():
                made = Happened(thing)
            case Items(array, where, None):
                made = (
                    IsNull(array, negated=True)
                    if where is None
                    else ItemsMatch("any", array, where)
                )
            case Items():
                made = Compare(">=", Aggregate("count", thing), Value(1))
            case Field():
                made = Compare("=", thing, Value(True))
            case Value(bool(value)):
                made = Constant(value)
            case _:
                raise self.refusal(
                    tree,
                    "not_a_condition",
                    "This is neither true nor false: compare it with something.",
                )
        self.noted(made, tree)
        return made

    def operand(self, tree: Any, names: Names) -> Operand:
        """Return an expression that has a value."""
        thing = self.thing(tree, names)
        if isinstance(thing, OPERANDS):
            return thing
        if isinstance(thing, CONDITIONS):
            raise self.refusal(tree, "not_a_value", "This is true or false; here stands a value.")
        raise self.refusal(
            tree, "not_a_value", "This has no value of its own: name a field of it, or count it."
        )

    def field(self, tree: Any, names: Names) -> Field:
        """Return an expression that is a field."""
        thing = self.thing(tree, names)
        if not isinstance(thing, Field):
            raise self.refusal(tree, "not_a_field", "Here stands a field.")
        return thing

    def moment(self, tree: Any, names: Names) -> Moment:
        """Return an expression that is a written moment."""
        thing = self.thing(tree, names)
        if not isinstance(thing, Instant):
            raise self.refusal(
                tree, "not_a_moment", "Here stands a moment: now, today, date(2026, 1, 31)."
            )
        return thing.moment

    # --- what an expression is -----------------------------------------------------------------

    def thing(self, tree: Any, names: Names) -> Thing:
        """Return whatever an expression is."""
        reader: Callable[[Resolver, Tree[Token], Names], Thing] = _READERS[tree.data]
        return self.noted(reader(self, tree, names), tree)

    def noted(self, thing: Thing, tree: Any) -> Thing:
        """Remember where a node came from; the innermost place is the best."""
        if id(thing) not in self.places:
            self.places[id(thing)] = (tree.meta.line, tree.meta.column)
            self.kept.append(thing)
        return thing

    def below(self, thing: Thing, name: str, tree: Any) -> Thing:
        """Return what a name below something means."""
        match thing:
            case Field(path, of):
                return Field(f"{path}.{name}", of)
            case Whole(variable):
                return Field(name, variable.of)
            case Events():
                return InEvents(thing, name)
            case InEvents(events, path):
                return InEvents(events, f"{path}.{name}")
            case _:
                raise self.refusal(tree, "no_member", f"There is nothing called {name!r} in this.")

    def refusal(self, tree: Any, code: str, detail: str, hint: str | None = None) -> RuleError:
        """Return what is wrong at a place of the text, to be raised."""
        place = tree if isinstance(tree, Token) else tree.meta
        line, column = place.line, place.column
        told = f"Line {line}, column {column}: {detail}"
        return RuleError([Problem(code, told, hint=hint, line=line, column=column)])

    def unknown(self, tree: Any, noun: str, name: str, known: Any) -> RuleError:
        """Return that a word is not known, with the one that was meant, to be raised."""
        meant = suggest(name, known)
        tail = f"; did you mean {meant!r}?" if meant else "."
        return self.refusal(tree, f"unknown_{noun}", f"There is no {noun} {name!r}{tail}", meant)


def _name(resolver: Resolver, tree: Any, names: Names) -> Thing:
    token = tree.children[0]
    name = read_name(token)
    if token.type == "NAME":
        if name in names.lets:
            meaning, outer = names.lets[name]
            return resolver.thing(meaning, outer)
        if name in names.variables:
            return _whole(resolver, tree, names.variables[name], names)
        if name == EVENTS:
            return Events()
    return resolver.below(_whole(resolver, tree, names.implicit, names), name, tree)


def _whole(resolver: Resolver, tree: Any, variable: Variable, names: Names) -> Whole:
    if variable.of == "item" and variable.depth != names.depth:
        raise resolver.refusal(
            tree, "outer_item", "Only the innermost of nested items can be named."
        )
    return Whole(variable)


def _numbered(resolver: Resolver, tree: Any, names: Names) -> Thing:
    return Whole(SUBJECTS[tree.children[0]])


def _member(resolver: Resolver, tree: Any, names: Names) -> Thing:
    callee, member = tree.children
    name = read_name(member[1:].strip())
    return resolver.below(resolver.thing(callee, names), name, tree)


def _chosen(resolver: Resolver, tree: Any, names: Names) -> Thing:
    callee, inner = tree.children
    thing = resolver.thing(callee, names)
    match thing:
        case Events(None):
            return Events(resolver.condition(inner, names.of_event()))
        case Field():
            return Items(thing, resolver.condition(inner, names.of_item()))
        case InEvents(events, path):
            where = resolver.condition(inner, names.of_item())
            return Items(Field(path, "event"), where, events)
        case LookUp(key, entity):
            return Related(key, entity, resolver.condition(inner, names.of_item()))
        case _:
            raise resolver.refusal(
                tree, "not_a_list", "Only events, arrays and look-ups can be chosen from."
            )


def _quantified(resolver: Resolver, tree: Any, names: Names) -> Thing:
    word, *sources = tree.children
    return _bound(resolver, str(word), sources, names)


def _selected(resolver: Resolver, tree: Any, names: Names) -> Thing:
    return _bound(resolver, "exists", tree.children, names)


def _bound(resolver: Resolver, word: str, sources: list[Any], names: Names) -> Condition:
    """Return `exists X from source where ..., Y from X.items where ...`."""
    source, *rest = sources
    variable, origin, *where = source.children
    thing = resolver.thing(origin, names)
    if isinstance(thing, Events) and thing.where is None:
        if word == "forall":
            raise resolver.refusal(origin, "forall_events", methods.FORALL_EVENTS)
        inner = names.with_event(str(variable))
        return Happened(Events(_where(resolver, where, rest, inner)))
    if isinstance(thing, Field):
        inner = names.with_item(str(variable))
        chosen = _where(resolver, where, rest, inner)
        if chosen is None and word == "forall":
            raise resolver.refusal(origin, "arguments", "forall takes one condition.")
        if chosen is None:
            return IsNull(thing, negated=True)
        return ItemsMatch("any" if word == "exists" else "all", thing, chosen)
    raise resolver.refusal(origin, "not_a_list", "Here stands xEvent or an array.")


def _where(resolver: Resolver, where: list[Any], rest: list[Any], names: Names) -> Condition | None:
    parts = [resolver.condition(each, names) for each in where]
    if rest:
        parts.append(_bound(resolver, "exists", rest, names))
    if len(parts) < 2:
        return parts[0] if parts else None
    return All(tuple(parts))


def _folded(resolver: Resolver, tree: Any, names: Names) -> Thing:
    function, value, source = tree.children
    return _aggregate(resolver, str(function), value, source, names)


def _counted(resolver: Resolver, tree: Any, names: Names) -> Thing:
    function, source = tree.children
    return _aggregate(resolver, str(function), None, source, names)


def _aggregate(
    resolver: Resolver, function: Any, value: Any, source: Any, names: Names
) -> Aggregate:
    """Return `sum X.f over X from source where ...`."""
    variable, origin, *where = source.children
    thing = resolver.thing(origin, names)
    over: Events | Items
    if isinstance(thing, Events) and thing.where is None:
        inner = names.with_event(str(variable))
        over = Events(_where(resolver, where, [], inner))
    elif isinstance(thing, Field):
        inner = names.with_item(str(variable))
        over = Items(thing, _where(resolver, where, [], inner))
    else:
        raise resolver.refusal(origin, "not_a_list", "Here stands xEvent or an array.")
    return Aggregate(function, over, None if value is None else resolver.operand(value, inner))


def _comparison(resolver: Resolver, tree: Any, names: Names) -> Thing:
    left, sign, right = tree.children
    return Compare(str(sign), resolver.operand(left, names), resolver.operand(right, names))  # type: ignore[arg-type]


def _among(resolver: Resolver, tree: Any, names: Names) -> Thing:
    value, values = tree.children
    negated = tree.data == "not_among"
    return In(resolver.operand(value, names), methods.listed(resolver, values, names), negated)


def _like(resolver: Resolver, tree: Any, names: Names) -> Thing:
    value, pattern = tree.children
    return Text(
        "like", resolver.operand(value, names), methods.written_text(resolver, pattern, names)
    )


def _occurs(resolver: Resolver, tree: Any, names: Names) -> Thing:
    value, window, *ignoring = tree.children
    operand = resolver.operand(value, names)
    return Occurs(operand, windows.read(resolver, window, names), ignore_year=bool(ignoring))


def _calculation(resolver: Resolver, tree: Any, names: Names) -> Thing:
    left, sign, right = tree.children
    return Arithmetic(str(sign), resolver.operand(left, names), resolver.operand(right, names))  # type: ignore[arg-type]


def _all_of(resolver: Resolver, tree: Any, names: Names) -> Thing:
    return All(tuple(resolver.condition(child, names) for child in tree.children))


def _any_of(resolver: Resolver, tree: Any, names: Names) -> Thing:
    return ast.Any(tuple(resolver.condition(child, names) for child in tree.children))


def _shifted(resolver: Resolver, tree: Any, names: Names) -> Thing:
    count, unit, direction, of = tree.children
    moment = resolver.moment(of, names)
    return Instant(windows.shifted(resolver, count, read_unit(unit), direction, moment))


def _list(resolver: Resolver, tree: Any, names: Names) -> Thing:
    values = [resolver.thing(child, names) for child in tree.children]
    if not all(isinstance(value, Value) and not isinstance(value.value, tuple) for value in values):
        raise resolver.refusal(tree, "not_a_list", "A list holds written values only.")
    return Value(tuple(value.value for value in values))


def _let(resolver: Resolver, tree: Any, names: Names) -> Thing:
    name, meaning, inner = tree.children
    return resolver.thing(inner, names.with_let(str(name), meaning))


def _start(resolver: Resolver, tree: Any, names: Names) -> Thing:
    *subject, inner = tree.children
    for named in subject:
        names = names.with_profile(str(named.children[0]))
    return resolver.condition(inner, names)


_READERS: dict[str, Callable[[Resolver, Any, Names], Thing]] = {
    "start": _start,
    "let": _let,
    "all_of": _all_of,
    "any_of": _any_of,
    "negation": lambda resolver, tree, names: Not(resolver.condition(tree.children[0], names)),
    "comparison": _comparison,
    "among": _among,
    "not_among": _among,
    "like": _like,
    "occurs": _occurs,
    "quantified": _quantified,
    "selected": _selected,
    "calculation": _calculation,
    "signed": written.signed,
    "member": _member,
    "method": methods.read,
    "chosen": _chosen,
    "group": lambda resolver, tree, names: resolver.thing(tree.children[0], names),
    "number": written.number,
    "text": written.text,
    "truth": lambda resolver, tree, names: Value(tree.children[0] == "true"),
    "list": _list,
    "numbered": _numbered,
    "name": _name,
    "function": functions.read,
    "anchor": lambda resolver, tree, names: Instant(Anchor(str(tree.children[0]))),  # type: ignore[arg-type]
    "shifted": _shifted,
    "folded": _folded,
    "counted": _counted,
    "chain": chains.read,
}
