"""Finding texts that name a person, wherever somebody wrote her down."""

from collections.abc import Iterable
from typing import Final

from orjson import dumps

ERASED: Final = "Erased with the person whom it named."


def patterns_of(values: Iterable[str]) -> list[str]:
    r"""Return patterns for LIKE that find these values in a text, and in JSON.

    >>> patterns_of(["a_b"])
    ['%a\\_b%']
    """
    plain = set(values)
    written = {dumps(value).decode()[1:-1] for value in plain}
    return [f"%{_escaped(word)}%" for word in sorted(plain | written)]


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
