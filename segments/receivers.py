"""What segments do when something has happened to profiles or rules, and as time passes."""

from collections.abc import Iterable
from datetime import timedelta

import structlog

from cdp.clickhouse.errors import BudgetExceeded, StoreRefused
from cdp.queue import Claim, Item
from cdp.tenancy.actors import Actor
from cdp.tenancy.scope import scope
from segments import selectors
from segments.enums import EvaluationKind
from segments.errors import SandboxBusy
from segments.evaluation import rechecks
from segments.evaluation.few import PROFILES_AT_ONCE, evaluate_in_turn
from segments.evaluation.forgetting import forget_segment
from segments.evaluation.rules import rule_book
from segments.evaluation.settling import settle
from segments.evaluation.whole import evaluate_whole
from segments.services.schedules import run_if_due

_ACTOR = Actor.system("segments.receive")
_PAUSE = timedelta(milliseconds=100)

log = structlog.get_logger(__name__)


def profiles_changed(claim: Claim) -> None:
    """Evaluate the profiles that changed, and take those that vanished out of their segments.

    Those whose time has come go along: a turn costs little more for them, and much alone.
    """
    touched: set[int] = set()
    for item in claim.items:
        touched.update(item.payload["profiles"])
        for vanished, survivor in item.payload.get("vanished", []):
            touched.update((vanished, survivor))
    with scope(claim.sandbox, _ACTOR):
        touched.update(rechecks.due_profiles(claim.sandbox, PROFILES_AT_ONCE))
    _evaluate_few(claim, touched, EvaluationKind.TOUCHED)


def rechecks_due(claim: Claim) -> None:
    """Evaluate the profiles whose time has come, and set the alarm anew.

    It is set also if the event store cannot say who is due later, and asks again when it rings.
    """
    with scope(claim.sandbox, _ACTOR):
        book = rule_book(claim.sandbox)
        due = rechecks.due_profiles(claim.sandbox, PROFILES_AT_ONCE)
    if book.rules:
        try:
            rechecks.add_ahead(claim.sandbox, book)
        except (BudgetExceeded, StoreRefused) as error:  # whoever is due must not wait for that
            log.warning("time_ahead_unknown", error=error.detail)
    rung = {item.payload.get("alarm", "") for item in claim.items}
    _evaluate_few(claim, due, EvaluationKind.DUE, rung=rung if book.rules else None)


def evaluation_wanted(claim: Claim) -> None:
    """Make the evaluations of the whole sandbox that were asked for, one after the other."""
    for item in claim.items:
        _evaluate_whole(claim, item)


def schedules_due(claim: Claim) -> None:
    """Ask for the evaluations whose time has come."""
    for item in claim.items:
        with scope(claim.sandbox, _ACTOR):
            run_if_due(claim.sandbox, item.payload["schedule"], item.payload["at"])
            claim.finish([item])


def segment_deleted(claim: Claim) -> None:
    """Take deleted segments off the profiles that were in them.

    After an evaluation that still asks for one, which would put it back.
    """
    for item in claim.items:
        deleted = item.payload["segment"]
        with scope(claim.sandbox, _ACTOR):
            running = selectors.find_running(claim.sandbox)
            if running is not None and deleted in running.asked:
                claim.retry([item], "An evaluation that asks for it is under way.", _PAUSE)
                continue
        forget_segment(claim.sandbox, deleted)
        with scope(claim.sandbox, _ACTOR):
            claim.finish([item])


def _evaluate_few(
    claim: Claim, profiles: Iterable[int], kind: EvaluationKind, *, rung: set[str] | None = None
) -> None:
    """Evaluate in one transaction with the end of the claim: done, told and forgotten together.

    With alarms that have `rung` the next one is set.
    """
    touched = sorted(set(profiles))
    try:
        with scope(claim.sandbox, _ACTOR):
            changes = evaluate_in_turn(claim.sandbox, touched, kind) if touched else []
            if rung is not None:
                rechecks.ring_next(claim.sandbox, rung, were_due=bool(touched))
            claim.finish()
    except SandboxBusy as busy:
        with scope(claim.sandbox, _ACTOR):
            claim.retry(claim.items, busy.detail, _PAUSE)
        return
    if changes:
        settle(claim.sandbox)


def _evaluate_whole(claim: Claim, item: Item) -> None:
    """Make an evaluation, after one that was begun and left: what that scanned is older."""
    with scope(claim.sandbox, _ACTOR):
        begun = selectors.find_running(claim.sandbox)
    if begun is not None:
        evaluate_whole(claim.sandbox, begun, lambda _: claim.heartbeat())
    with scope(claim.sandbox, _ACTOR):
        rows = selectors.list_evaluations(claim.sandbox)
        evaluation = rows.filter(pk=item.payload["evaluation"]).first()
    if evaluation is not None:
        evaluate_whole(claim.sandbox, evaluation, lambda _: claim.heartbeat())
    with scope(claim.sandbox, _ACTOR):
        claim.finish([item])
