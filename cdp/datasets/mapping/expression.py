"""Expressions, compiled once and then asked of many rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from cdp.datasets.mapping import nodes
from cdp.datasets.mapping.errors import ExpressionInvalid, RowInvalid
from cdp.datasets.mapping.functions.registry import FUNCTIONS, Function, number_of
from cdp.datasets.mapping.operators import BINARY
from cdp.datasets.mapping.parse import parse

for _area in ("agents", "choices", "dates", "encodings", "objects", "texts"):
    import_module(f"cdp.datasets.mapping.functions.{_area}")

# What a function may raise for values that it is not made for.
_UNFIT: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
Row = Mapping[str, Any]
Reader = Callable[[Row, datetime], Any]


@dataclass(frozen=True)
class Expression:
    """An expression that can be evaluated; `fields` are the source paths it reads."""

    text: str
    read: Reader
    fields: frozenset[str]

    def evaluate(self, row: Row, *, now: datetime) -> Any:
        """Return the value for a row. Raises `RowInvalid`.

        `now` is when the row came in.
        """
        try:
            return self.read(row, now)
        except _UNFIT as error:
            if isinstance(error, RowInvalid):
                raise
            raise RowInvalid(f"'{self.text}' cannot work with this row's values.") from error


@lru_cache(maxsize=4_096)
def compile_expression(text: str) -> Expression:
    """Compile an expression. Raises `ExpressionInvalid`.

    >>> from datetime import UTC
    >>> compile_expression("price * 2").evaluate({"price": 4}, now=datetime.now(UTC))
    8
    """
    tree = parse(text)
    paths = (nodes.source_path(node) for node in nodes.walk(tree))
    return Expression(text, _compile(tree), frozenset(path for path in paths if path))


def _compile(node: nodes.Node) -> Reader:
    match node:
        case nodes.Literal(value):
            return lambda row, now: value
        case nodes.Field(name):
            return lambda row, now: row.get(name)
        case nodes.Member(parent, name):
            return _member(_compile(parent), name)
        case nodes.Every(parent):
            return _every(_compile(parent))
        case nodes.Index(parent, key):
            return _index(_compile(parent), _compile(key))
        case nodes.Choose(condition, yes, no):
            return _choose(_compile(condition), _compile(yes), _compile(no))
        case nodes.Array(items):
            readers = [_compile(item) for item in items]
            return lambda row, now: [read(row, now) for read in readers]
        case nodes.Call(name, arguments):
            return _call(_function(name, len(arguments)), [_compile(each) for each in arguments])
        case nodes.Operation(sign, sides):
            return _operation(sign, [_compile(side) for side in sides])


def _member(parent: Reader, name: str) -> Reader:
    def read(row: Row, now: datetime) -> Any:
        value = parent(row, now)
        if isinstance(value, dict):
            return value.get(name)
        if isinstance(value, list):
            # Nulls stay, so that the parts of one item keep their place beside each other.
            return [item.get(name) if isinstance(item, dict) else None for item in value]
        return None

    return read


def _every(parent: Reader) -> Reader:
    def read(row: Row, now: datetime) -> Any:
        value = parent(row, now)
        return value if value is None or isinstance(value, list) else [value]

    return read


def _index(parent: Reader, key: Reader) -> Reader:
    def read(row: Row, now: datetime) -> Any:
        value, at = parent(row, now), key(row, now)
        if isinstance(value, dict):
            return value.get(at)
        is_place = isinstance(value, list) and isinstance(at, int)
        return value[at] if is_place and 0 <= at < len(value) else None

    return read


def _choose(condition: Reader, yes: Reader, no: Reader) -> Reader:
    return lambda row, now: yes(row, now) if condition(row, now) is True else no(row, now)


def _operation(sign: str, sides: list[Reader]) -> Reader:
    if sign == "!":
        (side,) = sides
        return lambda row, now: side(row, now) is not True
    if sign == "neg":
        (side,) = sides
        return lambda row, now: None if (value := side(row, now)) is None else -number_of(value)
    left, right = sides
    if sign == "&&":
        return lambda row, now: left(row, now) is True and right(row, now) is True
    if sign == "||":
        return lambda row, now: left(row, now) is True or right(row, now) is True
    work = BINARY[sign]
    return lambda row, now: work(left(row, now), right(row, now))


def _call(function: Function, arguments: list[Reader]) -> Reader:
    body = function.body
    if function.takes_now:
        return lambda row, now: body(now=now)
    if function.takes_null:
        return lambda row, now: body(*(read(row, now) for read in arguments))

    def read_all(row: Row, now: datetime) -> Any:
        values = [read(row, now) for read in arguments]
        return None if any(value is None for value in values) else body(*values)

    return read_all


def _function(name: str, given: int) -> Function:
    function = FUNCTIONS.get(name)
    if function is None:
        meant = get_close_matches(name, FUNCTIONS, n=1)
        hint = f" Did you mean '{meant[0]}'?" if meant else ""
        raise ExpressionInvalid(f"There is no function '{name}'.{hint}")
    if given < function.least or (function.most is not None and given > function.most):
        raise ExpressionInvalid(
            f"'{name}' is used as {function.signature}, not with {given} values."
        )
    return function
