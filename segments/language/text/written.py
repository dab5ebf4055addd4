"""Numbers and texts that are written in a rule, as values."""

from typing import TYPE_CHECKING, Any

from segments.language.ast import Value
from segments.language.text.literals import LARGEST_NUMBER, read_number, read_text
from segments.language.text.names import Names

if TYPE_CHECKING:
    from segments.language.text.resolver import Resolver


def number(resolver: "Resolver", tree: Any, names: Names) -> Value:
    """Return a number."""
    return Value(_read(resolver, tree.children[0]))


def signed(resolver: "Resolver", tree: Any, names: Names) -> Value:
    """Return a number with a sign."""
    sign, token = tree.children
    value = _read(resolver, token)
    return Value(-value if sign == "-" else value)


def text(resolver: "Resolver", tree: Any, names: Names) -> Value:
    """Return a text."""
    token = tree.children[0]
    try:
        read = read_text(token)
    except UnicodeError as error:
        detail = "The text holds half of a character: write it as itself, or both of its halves."
        raise resolver.refusal(token, "half_character", detail) from error
    if "\0" in read:
        raise resolver.refusal(token, "nul_character", "A text cannot hold the character NUL.")
    return Value(read)


def _read(resolver: "Resolver", token: Any) -> int | float:
    value = read_number(token)
    if value > LARGEST_NUMBER:
        raise resolver.refusal(token, "too_large", "Numbers go up to 1e300.")
    return value
