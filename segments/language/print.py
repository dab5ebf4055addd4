"""A rule as text."""

from segments.language.ast import Condition
from segments.language.text.printer import write


def print_rule(rule: Condition) -> str:
    """Return the text of a rule; parsing it gives the same rule again."""
    return write(rule)
