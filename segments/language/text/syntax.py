"""Cutting a text into a syntax tree, and saying where and why that fails."""

from functools import cache
from pathlib import Path

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from segments.language.errors import Problem, RuleError
from segments.language.limits import refuse_large_text

GRAMMAR = Path(__file__).with_name("grammar.lark")
MAX_DEPTH = 400  # levels of grammar; a level of parentheses takes up to eight

# What the tokens are called in a message; those that mean one word are that word.
CALLED = {
    "NAME": "a field",
    "QUOTED": "a field",
    "SUBJECT": "$1 or $2",
    "NUMBER": "a number",
    "STRING": "a text in quotes",
    "MEMBER": ".name",
    "COMPARE": "= != < <= > >=",
    "SIGN": "+ or -",
    "FACTOR": "* / %",
    "UNIT": "a unit such as days",
    "DIRECTION": "before or after",
    "SIDE": "before, after or on",
    "WHICH": "last, this or next",
    "ANCHOR": "now, today, yesterday or tomorrow",
    "TRUTH": "true or false",
    "QUANTIFIER": "exists or forall",
    "AGGREGATE": "sum, count, min, max, average or distinct",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "COMMA": ",",
    "COLON": ":",
    "EQUAL": "=",
    "NOTIN": "'notIn'",
    "$END": "the end",
}
UPPER_WORDS = frozenset({"CHAIN", "WHAT", "WHEN", "COUNT", "WITHIN", "AFTER"})


def cut(text: str) -> Tree[Token]:
    """Return the syntax tree of a text; raise `RuleError` with line, column and what was expected."""
    refuse_large_text(text)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise RuleError([_problem(text, error)]) from None
    _refuse_depth(tree)
    return tree


@cache
def _parser() -> Lark:
    return Lark(
        GRAMMAR.read_text(), parser="lalr", propagate_positions=True, maybe_placeholders=False
    )


def _problem(text: str, error: UnexpectedInput) -> Problem:
    line, column = error.line, error.column
    found = ""
    match error:
        case UnexpectedToken() if error.token.type != "$END":
            found, wanted = str(error.token), set(error.accepts or error.expected)
        case UnexpectedCharacters():
            found, wanted = error.char, set(error.allowed or ())
        case UnexpectedToken() | UnexpectedEOF():
            wanted = set(getattr(error, "accepts", None) or error.expected)
            lines = text.split("\n")
            line, column = len(lines), len(lines[-1]) + 1
        case _:
            wanted = set()
    expected = tuple(sorted({_called(name) for name in wanted}))
    instead = f"not {found!r}" if found else "but the text ends"
    detail = f"Line {line}, column {column}: expected {_either(expected)}, {instead}."
    return Problem("syntax", detail, line=line, column=column, expected=expected)


def _called(name: str) -> str:
    if name in CALLED:
        return CALLED[name]
    return f"'{name if name in UPPER_WORDS else name.lower()}'"


def _either(options: tuple[str, ...]) -> str:
    if len(options) < 2:
        return options[0] if options else "something else"
    return f"{', '.join(options[:-1])} or {options[-1]}"


def _refuse_depth(tree: Tree[Token]) -> None:
    waiting: list[tuple[Tree[Token], int]] = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise RuleError([Problem("too_deep", "The rule nests too deep.")])
        waiting += [(child, depth + 1) for child in node.children if isinstance(child, Tree)]
