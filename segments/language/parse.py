"""A rule's text as a rule."""

from dataclasses import replace

from segments.language.ast import Condition
from segments.language.check import Finding, findings
from segments.language.errors import Problem, RuleError
from segments.language.text.names import Names
from segments.language.text.resolver import Resolver
from segments.language.text.syntax import cut
from segments.language.vocabulary import Vocabulary


def parse(text: str, words: Vocabulary | None = None) -> Condition:
    """Return the rule of a text.

    With a vocabulary it is checked as well. Raises `RuleError`: each problem has a
    line and a column, a syntax error says what was expected, an unknown word which
    known one was meant.

    >>> from segments.language.print import print_rule
    >>> print_rule(parse("not exists E from xEvent where E.eventType = 'view'"))
    'not (xEvent[eventType = "view"])'
    """
    resolver = Resolver()
    rule: Condition = resolver.thing(cut(text), Names())
    if words is not None:
        problems = [_placed(finding, resolver) for finding in findings(rule, words)]
        if problems:
            raise RuleError(problems)
    return rule


def _placed(finding: Finding, resolver: Resolver) -> Problem:
    problem = finding.problem
    line, column = resolver.places.get(id(finding.node), (1, 1))
    detail = f"Line {line}, column {column}: {problem.detail}"
    return replace(problem, detail=detail, line=line, column=column)
