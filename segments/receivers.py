"""What segments do when something has happened to profiles or rules."""

from cdp.queue import Claim
from cdp.tenancy.actors import Actor
from cdp.tenancy.scope import scope
from segments.enums import EvaluationKind
from segments.evaluation.everybody import evaluate_everybody
from segments.evaluation.few import evaluate_few
from segments.services.settling import settle

_SYSTEM = Actor.system("segments.receive")


def profiles_changed(claim: Claim) -> None:
    """Evaluate the profiles that changed, and take those that vanished out of their segments.

    Repeating it after a crash finds nothing more to change.
    """
    touched: set[int] = set()
    for item in claim.items:
        touched.update(item.payload["profiles"])
        for vanished, survivor in item.payload.get("vanished", []):
            touched.update((vanished, survivor))
    changes = evaluate_few(claim.sandbox, touched, kind=EvaluationKind.TOUCHED)
    with scope(claim.sandbox, _SYSTEM):
        claim.finish()
    if changes:
        settle(claim.sandbox)


def evaluation_wanted(claim: Claim) -> None:
    """Evaluate everybody, once for all requests that wait."""
    evaluate_everybody(claim.sandbox)
    with scope(claim.sandbox, _SYSTEM):
        claim.finish()
