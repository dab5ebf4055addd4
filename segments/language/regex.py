"""Regular expressions: RE2 on both sides, so none can be made slow."""

from functools import lru_cache
from typing import Any

import re2

MAX_PATTERN = 500
MAX_PROGRAM = 1_000_000  # bytes a compiled pattern may take


class BadPattern(ValueError):
    """A pattern that RE2 does not take, or only at too high a price."""


def checked(pattern: str) -> str:
    """Return the pattern if both readers can run it; raise `BadPattern` with the reason."""
    if len(pattern) > MAX_PATTERN:
        raise BadPattern(f"A pattern has at most {MAX_PATTERN} characters.")
    if "\0" in pattern:
        raise BadPattern("A pattern has no NUL.")
    compiled(pattern, True)
    return pattern


@lru_cache(maxsize=512)
def compiled(pattern: str, case_sensitive: bool) -> Any:
    """Compile a pattern as ClickHouse does: a dot takes line breaks in."""
    options = re2.Options()
    options.max_mem = MAX_PROGRAM
    options.dot_nl = True
    options.case_sensitive = case_sensitive
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not a pattern"
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise BadPattern(
            f"RE2 does not take this pattern: {text}. Look-arounds, back-references and very "
            "large repetitions are not part of it."
        ) from error


def like_pattern(like: str) -> str:
    r"""Return the regular expression of a `like` pattern; a backslash takes `%` and `_` as they are.

    >>> like_pattern("50\\%_%")
    '^50%..*$'
    """
    parts: list[str] = []
    characters = iter(like)
    for character in characters:
        if character == "\\":
            parts.append(_plain(next(characters, "\\")))
        elif character == "%":
            parts.append(".*")
        else:
            parts.append("." if character == "_" else _plain(character))
    return f"^{''.join(parts)}$"


def _plain(character: str) -> str:
    return f"\\{character}" if character in r"\.+*?()|[]{}^$" else character
