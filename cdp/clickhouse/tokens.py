"""Cut ClickHouse SQL into words, so that texts and comments cannot pass for code."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|\#[ !][^\n]*|/\*.*?\*/)
      |(?P<space>\s+)
      |(?P<text>'(?:[^'\\]|\\.|'')*'|\u2018[^\u2019]*\u2019|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
      |(?P<quoted>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*"|\u201c[^\u201d]*\u201d)
      |(?P<name>[A-Za-z_]\w*)
      |(?P<parameter>\{\s*\w+\s*:[^{}]*\})
      |(?P<number>\d[\w.]*)
      |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """One word of SQL: its kind, and how it is written (names without their quotes).

    A name in quotes can be a table or a function, but never a keyword.
    """

    kind: str
    text: str
    is_quoted: bool = False

    @property
    def word(self) -> str:
        """The keyword that this is, if it can be one."""
        return "" if self.is_quoted else self.text.upper()


def tokenize(sql: str) -> list[Token]:
    r"""Return the words of a statement, without spaces and comments.

    >>> [token.text for token in tokenize("SELECT `a b`, 'x -- y' -- why\nFROM t")]
    ['SELECT', 'a b', ',', "'x -- y'", 'FROM', 't']
    """
    return list(_tokens(sql))


def _tokens(sql: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(sql):
        kind, text = match.lastgroup or "", match.group()
        match kind:
            case "comment" | "space":
                continue
            case "quoted":
                yield Token("name", text[1:-1], is_quoted=True)
            case "parameter":
                yield Token(kind, "".join(text.split()))  # however it is spaced
            case _:
                yield Token(kind, text)
