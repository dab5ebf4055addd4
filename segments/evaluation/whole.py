"""Evaluating a whole sandbox: scan, compare, tell.

The scan reads without a turn. What it finds is compared, in one turn, with who is in
now, and the differences are logged; profiles that others have looked at since the
scan began are left to those. Then the differences are told, a slice of profiles in
each turn. Every step is written down, so whoever comes after a crash goes on from
there: the same evaluation is never told twice, and nothing it logged is lost.
"""

from collections.abc import Callable
from typing import Final

from django.utils import timezone

from cdp.clickhouse.errors import BudgetExceeded, StoreRefused
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from segments import selectors
from segments.enums import EvaluationState
from segments.evaluation import log, rechecks
from segments.evaluation.rules import RuleBook, rule_book
from segments.evaluation.settling import settle
from segments.evaluation.sizes import write_sizes
from segments.evaluation.telling import count_changes, publish_changes, write_changes
from segments.evaluation.turns import next_turn, take_turn
from segments.evaluation.uploads import write_uploaded
from segments.language.explain import explain
from segments.models import Evaluation, Meanwhile

PROFILES_A_SLICE: Final = 5_000
NAMED: Final = 10
_ACTOR: Final = Actor.system("segments.evaluate")

Report = Callable[[Evaluation], None]


def evaluate_whole(sandbox: Sandbox, evaluation: Evaluation, report: Report) -> None:
    """Bring an evaluation to its end, from wherever it stands.

    `report` is told after each step and may raise to stop here for now. A wish to
    cancel is granted until the differences are logged. One that costs more than its class
    of queries may has failed, and nothing has changed.
    """
    steps = {
        EvaluationState.WAITING: _begin,
        EvaluationState.SCANNING: _scan,
        EvaluationState.COMPARING: _compare,
        EvaluationState.TELLING: _tell,
    }
    while step := steps.get(EvaluationState(evaluation.state)):
        try:
            step(sandbox, evaluation)
        except (BudgetExceeded, StoreRefused) as error:
            if _may_have_logged(evaluation):
                raise
            _fail(sandbox, evaluation, error.detail)
        report(evaluation)


def _begin(sandbox: Sandbox, evaluation: Evaluation) -> None:
    """Fix the moment and the rules; from now on others say whom they look at."""
    with scope(sandbox, _ACTOR):
        take_turn(sandbox)
        # Who changes a rule takes this evaluation for his own while it waits: not once it has read.
        Evaluation.objects.for_sandbox(sandbox).select_for_update().get(pk=evaluation.pk)
        book = rule_book(sandbox, evaluation.wanted)
        evaluation.at = timezone.now()
        evaluation.asked = dict(book.versions)
        _go_on(evaluation, EvaluationState.SCANNING, "at", "asked")


def _scan(sandbox: Sandbox, evaluation: Evaluation) -> None:
    with scope(sandbox, _ACTOR):
        book = _asked(sandbox, evaluation)
    for segment in book.uploads:
        write_uploaded(sandbox, evaluation, segment)
    for statement in book.everybody(evaluation.at, evaluation.pk):
        log.write_found(sandbox, evaluation.pk, statement)
    if book.rules:
        rechecks.plan_everybody(sandbox, book, evaluation.at)
    with scope(sandbox, _ACTOR):
        evaluation.turn = next_turn()
        if _is_cancelled(evaluation):
            _forget(sandbox, evaluation)
            _go_on(evaluation, EvaluationState.CANCELLED, "ended_at")
        else:
            _go_on(evaluation, EvaluationState.COMPARING, "turn")


def _compare(sandbox: Sandbox, evaluation: Evaluation) -> None:
    with scope(sandbox, _ACTOR):  # counted first, for what this attempt logs may stay
        evaluation.attempts += 1
        evaluation.save(update_fields=["attempts"])
    with scope(sandbox, _ACTOR):
        take_turn(sandbox)
        settle(sandbox)  # the log must know what has been told
        book = _asked(sandbox, evaluation)
        log.write_differences(
            sandbox,
            evaluation=evaluation.pk,
            attempt=evaluation.attempts,
            turn=evaluation.turn or 0,
            at=evaluation.at,
            segments=_unchanged(book, evaluation),
            others=_others(sandbox, evaluation),
        )
        evaluation.total = log.count_changed(sandbox, evaluation.turn or 0)
        _go_on(evaluation, EvaluationState.TELLING, "total")


def _tell(sandbox: Sandbox, evaluation: Evaluation) -> None:
    """Tell the next slice of differences, or come to the end."""
    turn = evaluation.turn or 0
    changes = log.next_changes(sandbox, turn, evaluation.told_to, PROFILES_A_SLICE)
    with scope(sandbox, _ACTOR):
        take_turn(sandbox)
        if not changes:
            _end(sandbox, evaluation)
            return
        known_better = set(_others(sandbox, evaluation))
        mine = {profile: own for profile, own in changes.items() if profile not in known_better}
        new = write_changes(sandbox, mine, evaluation.at)
        publish_changes(sandbox, evaluation.pk, new)
        count_changes(sandbox, evaluation, new)
        evaluation.told_to = max(changes)
        evaluation.told += len(changes)
        evaluation.save(update_fields=["told_to", "told"])


def _end(sandbox: Sandbox, evaluation: Evaluation) -> None:
    settle(sandbox)
    log.keep_members(sandbox, next_turn())
    write_sizes(sandbox, list(evaluation.asked), evaluation.at)
    _forget(sandbox, evaluation)
    _go_on(evaluation, EvaluationState.DONE, "ended_at")


def _asked(sandbox: Sandbox, evaluation: Evaluation) -> RuleBook:
    """Return the rules that are asked: none if all that were wanted are not published."""
    return rule_book(sandbox, list(evaluation.asked) or [""])


def _may_have_logged(evaluation: Evaluation) -> bool:
    """Tell whether differences may stand in the log already, so that they have to be told."""
    is_telling = evaluation.state == EvaluationState.TELLING
    return is_telling or (evaluation.state == EvaluationState.COMPARING and evaluation.attempts > 1)


def _fail(sandbox: Sandbox, evaluation: Evaluation, detail: str) -> None:
    with scope(sandbox, _ACTOR):
        take_turn(sandbox)
        evaluation.reason = f"{detail} It was about {_by_cost(sandbox, evaluation)}."
        _forget(sandbox, evaluation)
        _go_on(evaluation, EvaluationState.FAILED, "reason", "ended_at")


def _by_cost(sandbox: Sandbox, evaluation: Evaluation) -> str:
    """Name the segments that were asked for, those first that are the likeliest cause."""
    book = _asked(sandbox, evaluation)
    weights = {rule.id: explain(rule.condition, book.words).cost.weight for rule in book.rules}
    rows = selectors.list_segments(sandbox).filter(pk__in=evaluation.asked)
    names = dict(rows.values_list("pk", "name"))
    ordered = sorted(names, key=lambda key: (-weights.get(key, 0), names[key]))
    named = ", ".join(f"'{names[key]}'" for key in ordered[:NAMED])
    return f"{named} and {len(ordered) - NAMED} more" if len(ordered) > NAMED else named


def _forget(sandbox: Sandbox, evaluation: Evaluation) -> None:
    """Let others say no longer whom they look at, for the evaluation is over."""
    Meanwhile.objects.for_sandbox(sandbox).filter(evaluation=evaluation).delete()
    evaluation.ended_at = timezone.now()


def _go_on(evaluation: Evaluation, state: EvaluationState, *changed: str) -> None:
    evaluation.state = state
    evaluation.save(update_fields=["state", *changed])


def _is_cancelled(evaluation: Evaluation) -> bool:
    rows = Evaluation.objects.for_sandbox(evaluation.sandbox_id).filter(pk=evaluation.pk)
    return rows.filter(cancel_wanted=True).exists()


def _unchanged(book: RuleBook, evaluation: Evaluation) -> list[str]:
    """Return the segments whose rules are still those that were scanned."""
    return [key for key, version in book.versions.items() if evaluation.asked.get(key) == version]


def _others(sandbox: Sandbox, evaluation: Evaluation) -> list[int]:
    """Return the profiles that others have looked at since the evaluation began."""
    rows = Meanwhile.objects.for_sandbox(sandbox).filter(evaluation=evaluation)
    lists = rows.values_list("profiles", flat=True)
    return sorted({profile for profiles in lists for profile in profiles})
