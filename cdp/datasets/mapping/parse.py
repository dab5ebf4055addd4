"""From the text of an expression to its tree."""

import re
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from cdp.datasets.mapping import nodes
from cdp.datasets.mapping.errors import ExpressionInvalid

LONGEST: Final = 4_000
DEEPEST: Final = 60
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}


@lru_cache(maxsize=4_096)
def parse(text: str) -> nodes.Node:
    """Return the tree of an expression. Raises `ExpressionInvalid` that says where.

    >>> parse("a.b + 1")
    Operation(sign='+', sides=(Member(parent=Field(name='a'), name='b'), Literal(value=1)))
    """
    if len(text) > LONGEST:
        raise ExpressionInvalid(f"An expression has {LONGEST:,} characters at most.")
    try:
        tree: nodes.Node = _builder.transform(_grammar.parse(text))
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        position = None if ended else error.pos_in_stream
        raise ExpressionInvalid(_say(text, position), position) from error
    except (RecursionError, VisitError) as error:
        raise ExpressionInvalid("The expression is nested too deeply.") from error
    if _depth(tree) > DEEPEST:
        raise ExpressionInvalid(f"The expression is nested deeper than {DEEPEST} levels.")
    return tree


class _Builder(Transformer[Token, Any]):
    """Turns the grammar's rules into nodes; the method names are theirs."""

    def number(self, items: list[Token]) -> nodes.Node:
        text = str(items[0])
        return nodes.Literal(int(text) if text.isdigit() else float(text))

    def text(self, items: list[Token]) -> nodes.Node:
        return nodes.Literal(_unescaped(str(items[0])[1:-1]))

    def true(self, _: list[Token]) -> nodes.Node:
        return nodes.Literal(True)

    def false(self, _: list[Token]) -> nodes.Node:
        return nodes.Literal(False)

    def null(self, _: list[Token]) -> nodes.Node:
        return nodes.Literal(None)

    def name(self, items: list[Token]) -> str:
        token = items[0]
        if token.type == "QUOTED_NAME":
            return str(token)[2:-1]
        return re.sub(r"\\(.)", r"\1", str(token))

    def field(self, items: list[str]) -> nodes.Node:
        return nodes.Field(items[0])

    def member(self, items: list[Any]) -> nodes.Node:
        return nodes.Member(items[0], items[1])

    def every(self, items: list[nodes.Node]) -> nodes.Node:
        return nodes.Every(items[0])

    def index(self, items: list[nodes.Node]) -> nodes.Node:
        return nodes.Index(items[0], items[1])

    def call(self, items: list[Any]) -> nodes.Node:
        return nodes.Call(str(items[0]), tuple(item for item in items[1:] if item is not None))

    def array(self, items: list[Any]) -> nodes.Node:
        return nodes.Array(tuple(item for item in items if item is not None))

    def choose(self, items: list[nodes.Node]) -> nodes.Node:
        return nodes.Choose(*items)

    def or_(self, items: list[nodes.Node]) -> nodes.Node:
        return nodes.Operation("||", tuple(items))

    def and_(self, items: list[nodes.Node]) -> nodes.Node:
        return nodes.Operation("&&", tuple(items))

    def not_(self, items: list[nodes.Node]) -> nodes.Node:
        return nodes.Operation("!", tuple(items))

    def minus(self, items: list[nodes.Node]) -> nodes.Node:
        return nodes.Operation("neg", tuple(items))

    def calculate(self, items: list[Any]) -> nodes.Node:
        return nodes.Operation(str(items[1]), (items[0], items[2]))

    compare = calculate


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text, flags=re.DOTALL)


def _depth(tree: nodes.Node) -> int:
    depth, level = 0, [tree]
    while level:
        depth += 1
        level = [below for node in level for below in nodes.children(node)]
    return depth


def _say(text: str, position: int | None) -> str:
    if position is None:
        return "The expression ends too early."
    near = text[position : position + 12]
    return f"The expression cannot be read from '{near}' (character {position + 1}) on."


_grammar = Lark(
    files(__package__).joinpath("grammar.lark").read_text(),
    parser="lalr",
    maybe_placeholders=True,
)
_builder = _Builder()
