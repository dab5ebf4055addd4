"""Deciding rules about a few profiles by statements of the event store, restricted to them."""

from collections.abc import Mapping, Sequence

from cdp.clickhouse import client
from segments.evaluation.asking import Answers, Asked
from segments.evaluation.rules import in_parts
from segments.evaluation.stored import InHand
from segments.language.sql.scan import Few, Rule


def answer_by_statement(
    asked: Asked, rules: Sequence[Rule], held: Mapping[str, Sequence[int]], answers: Answers
) -> None:
    """Add what rules come to; `held` are the members of segments as they are stored."""
    book, few = asked.book, Few(asked.profiles, list(asked.owners))
    for part in in_parts(rules):
        stored = InHand(book.rankings, held, answers.members())
        statement = book.few(part, asked.at, asked.until, few, stored)
        found = client.fetch_text(
            statement.text,
            sandbox=asked.sandbox,
            params=statement.parameters,
            budget=client.STREAMING,
        )
        for profile, places, at in found:
            answers.inside[profile].update(part[place].id for place in places)
            if at <= asked.horizon:
                answers.change(profile, at)
        answers.decided.update(rule.id for rule in part)
