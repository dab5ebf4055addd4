"""Cut ClickHouse SQL into words, so that texts and comments cannot pass for code."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|\#[ !][^\n]*|/\*.*?\*/)
      |(?P<space>\s+)
      |(?P<text>'(?:[^'\\]|\\.|'')*')
      |(?P<name>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*"|[A-Za-z_]\w*)
      |(?P<parameter>\{\s*\w+\s*:[^{}]*\})
      |(?P<number>\d[\w.]*)
      |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """One word of SQL: its kind, and how it is written (names without their quotes)."""

    kind: str
    text: str

    @property
    def word(self) -> str:
        """The token as a keyword would be written."""
        return self.text.upper()


def tokenize(sql: str) -> list[Token]:
    r"""Return the words of a statement, without spaces and comments.

    >>> [token.text for token in tokenize("SELECT `a b`, 'x -- y' -- why\nFROM t")]
    ['SELECT', 'a b', ',', "'x -- y'", 'FROM', 't']
    """
    return list(_tokens(sql))


def _tokens(sql: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(sql):
        kind, text = match.lastgroup or "", match.group()
        if kind in {"comment", "space"}:
            continue
        if kind == "name" and text[0] in '`"':
            text = text[1:-1]
        if kind == "parameter":
            text = "".join(text.split())  # however it is spaced
        yield Token(kind, text)
