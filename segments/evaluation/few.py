"""Evaluating profiles in hand: those that changed, and those whose time has come."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import uuid4

from django.utils import timezone

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.selectors.identities import members_of
from segments import selectors
from segments.evaluation import rechecks
from segments.evaluation.asking import Answers, Asked
from segments.evaluation.by_statement import answer_by_statement
from segments.evaluation.gone import left_for_good
from segments.evaluation.in_hand import MOST_PROFILES, answer_in_hand, decided_in_hand
from segments.evaluation.rules import RuleBook, rule_book
from segments.evaluation.telling import (
    Change,
    held_by,
    packed,
    publish_changes,
    tell_pending,
    write_found,
)
from segments.evaluation.turns import next_turn, take_turn
from segments.evaluation.uploads import uploaded_among
from segments.models import Evaluation, Meanwhile

PROFILES_AT_ONCE: Final = 5_000
_ACTOR: Final = Actor.system("segments.evaluate")


def evaluate_few(sandbox: Sandbox, profiles: Iterable[int], *, kind: str) -> list[Change]:
    """Bring the memberships of these profiles up to date; return what changed.

    In slices, each of them a turn: it reads and writes under one lock, so that no
    older answer can overwrite a newer one. Raises `SandboxBusy`.
    """
    changes: list[Change] = []
    waiting = iter(sorted(set(profiles)))
    while part := list(islice(waiting, PROFILES_AT_ONCE)):
        with scope(sandbox, _ACTOR):
            changes += evaluate_in_turn(sandbox, part, kind)
    return changes


def evaluate_in_turn(sandbox: Sandbox, profiles: Sequence[int], kind: str) -> list[Change]:
    """Evaluate profiles inside the caller's transaction, which ends the turn."""
    take_turn(sandbox)
    _leave_to_us(sandbox, profiles)
    book = rule_book(sandbox)
    now = timezone.now()
    answers = _answers(sandbox, book, profiles, now)
    found = {profile: frozenset(answers.inside[profile]) for profile in profiles}
    changes = write_found(sandbox, found, book.ids, now) + left_for_good(sandbox, profiles)
    rechecks.forget(sandbox, profiles)
    if book.rules:
        rechecks.plan(sandbox, answers.changes)
    if changes:
        entered = sum(change.entered for change in changes)
        evaluation = Evaluation.objects.create(
            id=uuid4(),
            sandbox=sandbox,
            turn=next_turn(),
            kind=kind,
            at=now,
            changes=packed(changes),
            entered=entered,
            exited=len(changes) - entered,
            ended_at=now,
        )
        publish_changes(sandbox, evaluation.pk, changes)
    return changes


def _answers(sandbox: Sandbox, book: RuleBook, profiles: Sequence[int], now: datetime) -> Answers:
    """Return what all rules come to: in hand as far as that goes, the rest by statements."""
    answers = Answers(decided=set(book.uploads))
    for segment, members in uploaded_among(sandbox, book.uploads, profiles, now).items():
        answers.enter(segment, members)
    if not book.rules:
        return answers
    held = held_by(sandbox, profiles) if book.asks_the_store else {}
    asked = Asked(sandbox, book, profiles, members_of(sandbox, profiles), now, now + rechecks.AHEAD)
    waiting = book.rules
    if len(profiles) <= MOST_PROFILES:
        in_hand = decided_in_hand(book.rules, book.words)
        if in_hand and answer_in_hand(asked, in_hand, held, answers):
            waiting = [rule for rule in book.rules if rule not in in_hand]
    if waiting:
        answer_by_statement(asked, waiting, held, answers)
    return answers


def _leave_to_us(sandbox: Sandbox, profiles: Sequence[int]) -> None:
    """Take these profiles from an evaluation of the whole sandbox that is under way."""
    whole = selectors.find_running(sandbox)
    if whole is not None:
        Meanwhile.objects.create(sandbox=sandbox, evaluation=whole, profiles=list(profiles))
        tell_pending(sandbox, profiles, whole)
