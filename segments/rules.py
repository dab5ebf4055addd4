"""Rules as they come in and as they are kept: checked once, on the way in."""

from typing import Any

from segments.errors import RuleRefused
from segments.language.ast import Condition, InSegment, Related
from segments.language.check import check
from segments.language.errors import Problem, RuleError
from segments.language.explain import explain
from segments.language.limits import scan_problems
from segments.language.parse import parse
from segments.language.tree import read_tree, write_tree
from segments.language.vocabulary import Vocabulary
from segments.language.walk import walk


def accept_tree(tree: Any, words: Vocabulary) -> Condition:
    """Return the rule of a tree that makes sense here. Raises `RuleRefused` with every problem."""
    try:
        rule = read_tree(tree)
    except RuleError as error:
        raise RuleRefused(error.problems) from error
    problems = check(rule, words) or scan_problems(rule, words)
    if problems:
        raise RuleRefused(problems)
    return with_entities_by_id(rule, words)


def accept_text(text: str, words: Vocabulary) -> Condition:
    """Return the rule of a text that makes sense here. Raises `RuleRefused` with every problem."""
    try:
        rule = read_tree(write_tree(parse(text, words)))  # within the limits of a tree, too
    except RuleError as error:
        raise RuleRefused(error.problems, field="text") from error
    if problems := scan_problems(rule, words):
        raise RuleRefused(problems, field="text")
    return with_entities_by_id(rule, words)


def accept(words: Vocabulary, *, rule: Any = None, text: str | None = None) -> Condition:
    """Return the rule that is given as a tree or as text. Raises `RuleRefused`."""
    if (rule is None) == (text is None):
        problem = Problem("one_of_two", "Give either rule, a tree, or text.")
        raise RuleRefused([problem])
    return accept_tree(rule, words) if text is None else accept_text(text, words)


def with_entities_by_id(rule: Condition, words: Vocabulary) -> Condition:
    """Return a rule that names entities by their ids: a title may change."""
    if not any(isinstance(visit.node, Related) for visit in walk(rule, words)):
        return rule
    return read_tree(_named_by_id(write_tree(rule), words))


def _named_by_id(tree: Any, words: Vocabulary) -> Any:
    if isinstance(tree, list):
        return [_named_by_id(child, words) for child in tree]
    if not isinstance(tree, dict):
        return tree
    named = {key: _named_by_id(child, words) for key, child in tree.items()}
    if tree.get("type") == "related" and (found := words.entity(tree["entity"])):
        named["entity"] = found.id
    return named


def references(rule: Condition, words: Vocabulary) -> list[str]:
    """Return the ids of the segments that a rule asks for."""
    found = {visit.node.segment for visit in walk(rule, words) if isinstance(visit.node, InSegment)}
    return sorted(found)


def paths(rule: Condition, words: Vocabulary) -> list[str]:
    """Return the full paths of the fields that a rule names, of people, events and entities."""
    return sorted({used.path for used in explain(rule, words).fields})
