"""Evaluating profiles in hand: those that changed, and those whose time has come."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final
from uuid import uuid4

from django.utils import timezone

from cdp.clickhouse import client
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.models import Identity
from segments import selectors
from segments.evaluation import rechecks
from segments.evaluation.gone import left_for_good
from segments.evaluation.rules import rule_book
from segments.evaluation.stored import InHand
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
from segments.language.sql.scan import Few
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
    found = dict.fromkeys(profiles, frozenset[str]())
    few = Few(profiles, _identities(sandbox, profiles))
    uploaded = uploaded_among(sandbox, book.uploads, profiles, now)
    if book.rules:
        held = held_by(sandbox, profiles) if book.asks_the_store else {}
        statement = book.few(now, few, InHand(book.rankings, {**held, **uploaded}))
        rows = client.fetch_text(
            statement.text, sandbox=sandbox, params=statement.parameters, budget=client.STREAMING
        )
        found.update((profile, book.named(places)) for profile, places in rows)
    for segment, members in uploaded.items():
        found.update((profile, found[profile] | {segment}) for profile in members)
    changes = write_found(sandbox, found, book.ids, now) + left_for_good(sandbox, profiles)
    rechecks.plan_few(sandbox, book, few, now)
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


def _leave_to_us(sandbox: Sandbox, profiles: Sequence[int]) -> None:
    """Take these profiles from an evaluation of the whole sandbox that is under way."""
    whole = selectors.find_running(sandbox)
    if whole is not None:
        Meanwhile.objects.create(sandbox=sandbox, evaluation=whole, profiles=list(profiles))
        tell_pending(sandbox, profiles, whole)


def _identities(sandbox: Sandbox, profiles: Sequence[int]) -> list[int]:
    rows = Identity.objects.for_sandbox(sandbox).filter(profile_id__in=profiles)
    return list(rows.values_list("pk", flat=True))
