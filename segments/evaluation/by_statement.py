"""Deciding rules about a few profiles by statements of the event store, restricted to them."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
    ahead = book.next_changes(asked.at, asked.until, few)
    # Half of the time of each is its analysis, on one core: they do not hinder each other.
    with ThreadPoolExecutor(max_workers=2) as both:
        found = both.submit(_rows, asked, scan)
        changes = both.submit(_rows, asked, ahead)
    for profile, places in found.result():
        answers.inside[profile].update(book.named(places))
    for profile, at in changes.result():
        answers.change(profile, at)


def _rows(asked: Asked, statement: Statement | None) -> list[tuple[Any, ...]]:
    if statement is None:
        return []
    return client.fetch_text(
        statement.text,
        sandbox=asked.sandbox,
        params=statement.parameters,
        budget=client.STREAMING,
    )
