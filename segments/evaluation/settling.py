"""Giving the event store what touched profiles changed, after it has been told."""

from typing import Final

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from segments.evaluation import log
from segments.evaluation.log import Entry
from segments.evaluation.telling import moves, unpacked
from segments.models import Evaluation

_ACTOR: Final = Actor.system("segments.settle")
_AT_ONCE: Final = 50


def settle_left() -> None:
    """Log what is left waiting, in every sandbox; run every minute.

    Whoever told it has died since, or the event store was away; and it may stay quiet there.
    """
    for sandbox in Sandbox.objects.select_related("organization").order_by("pk"):
        settle(sandbox)


def settle(sandbox: Sandbox) -> int:
    """Log every change that waits for it; return how many evaluations that were.

    A crash in between does no harm: the store drops what it has under the same token.
    """
    done = 0
    while entries := _settle_some(sandbox):
        done += entries
    return done


def _settle_some(sandbox: Sandbox) -> int:
    with scope(sandbox, _ACTOR):
        waiting = Evaluation.objects.for_sandbox(sandbox).filter(changes__isnull=False)
        rows = list(waiting.order_by("turn").select_for_update()[:_AT_ONCE])
        for row in rows:
            log.write(sandbox, _entry(row))
        Evaluation.objects.for_sandbox(sandbox).filter(pk__in=[row.pk for row in rows]).update(
            changes=None
        )
    return len(rows)


def _entry(row: Evaluation) -> Entry:
    changes = unpacked(row.changes or b"")
    return Entry(row.pk, row.turn or 0, round(row.at.timestamp() * 1000), moves(changes))
