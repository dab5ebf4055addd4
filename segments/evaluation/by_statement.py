"""Deciding rules about a few profiles by statements of the event store, restricted to them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cdp.clickhouse import client
from segments.evaluation.asking import Answers, Asked
from segments.evaluation.stored import InHand
from segments.language.sql.scan import Few, Rule, Statement


def answer_by_statement(
    asked: Asked, rules: Sequence[Rule], held: Mapping[str, Sequence[int]], answers: Answers
) -> None:
    """Add what rules come to; `held` are the members of segments that are not among them."""
    book = replace(asked.book, rules=rules)
    few = Few(asked.profiles, list(asked.owners))
    scan = book.few(asked.at, few, InHand(book.rankings, {**held, **answers.members()}))
    for profile, places in _rows(asked, scan):
        answers.inside[profile].update(book.named(places))
    ahead = book.next_changes(asked.at, asked.until, few)
    if ahead is not None:
        for profile, at in _rows(asked, ahead):
            answers.change(profile, at)


def _rows(asked: Asked, statement: Statement) -> list[tuple[Any, ...]]:
    return client.fetch_text(
        statement.text,
        sandbox=asked.sandbox,
        params=statement.parameters,
        budget=client.STREAMING,
    )
