"""Asking for evaluations of a whole sandbox, and taking the wish back."""

from collections.abc import Collection, Sequence
from uuid import uuid4

from django.utils import timezone

from cdp.queue import publish
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from segments import selectors
from segments.enums import EvaluationKind, EvaluationState
from segments.errors import WrongState
from segments.models import Evaluation, SegmentSchedule
from segments.topics import EVALUATION_WANTED


def request_evaluation(
    *,
    actor: Actor,
    sandbox: Sandbox,
    segments: Sequence[str] = (),
    schedule: SegmentSchedule | None = None,
) -> Evaluation:
    """Have segments (all by default) evaluated for everybody.

    A request that one which still waits would answer too is that one.
    """
    waiting = selectors.list_evaluations(sandbox).filter(state=EvaluationState.WAITING)
    for other in waiting.select_for_update():
        if _covers(other.wanted, segments) and not other.cancel_wanted:
            return other
    evaluation = Evaluation.objects.create(
        id=uuid4(),
        sandbox=sandbox,
        kind=EvaluationKind.FULL,
        state=EvaluationState.WAITING,
        wanted=sorted(set(segments)),
        schedule=schedule,
        at=timezone.now(),
    )
    audit.record(
        actor=actor,
        action="evaluation.requested",
        target=evaluation,
        after={"segments": evaluation.wanted},
    )
    publish(EVALUATION_WANTED, {"evaluation": str(evaluation.pk)}, sandbox=sandbox)
    return evaluation


def cancel_evaluation(*, actor: Actor, evaluation: Evaluation) -> Evaluation:
    """Stop an evaluation before it has changed anything. Raises `WrongState` once it has."""
    if evaluation.state not in (EvaluationState.WAITING, EvaluationState.SCANNING):
        raise WrongState(f"The evaluation is {evaluation.state}: it can no longer be cancelled.")
    evaluation.cancel_wanted = True
    evaluation.save(update_fields=["cancel_wanted"])
    audit.record(actor=actor, action="evaluation.cancelled", target=evaluation)
    return evaluation


def _covers(wanted: Collection[str], segments: Collection[str]) -> bool:
    return not wanted or bool(segments and set(segments) <= set(wanted))
