"""Rules as they come in and as they are kept: checked once, on the way in."""

from typing import Any

from segments.errors import RuleRefused
from segments.language.ast import Condition, InSegment
from segments.language.check import check
from segments.language.errors import RuleError
from segments.language.limits import scan_problems
from segments.language.tree import read_tree
from segments.language.vocabulary import Vocabulary
from segments.language.walk import walk


def accept_rule(tree: Any, words: Vocabulary) -> Condition:
    """Return the rule of a tree that makes sense here. Raises `RuleRefused` with every problem."""
    try:
        rule = read_tree(tree)
    except RuleError as error:
        raise RuleRefused(error.problems) from error
    problems = check(rule, words) or scan_problems(rule, words)
    if problems:
        raise RuleRefused(problems)
    return rule


def references(rule: Condition, words: Vocabulary) -> list[str]:
    """Return the ids of the segments that a rule asks for."""
    found = {visit.node.segment for visit in walk(rule, words) if isinstance(visit.node, InSegment)}
    return sorted(found)
