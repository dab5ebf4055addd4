"""Bringing the event store up to what PostgreSQL has decided about members.

Each step can be repeated: transitions carry the evaluation's id as their token,
and a bitmap that has taken a change in takes it in again without effect.
"""

from collections import defaultdict

from django.db import connection
from django.utils import timezone

from cdp.clickhouse import client
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from segments.models import Evaluation
from segments.services.memberships import Change, unpacked

SETTLING_LOCK = 5_202
_SYSTEM = Actor.system("segments.settle")

_APPLY = """
INSERT INTO memberships (sandbox_id, segment_id, turn, members)
SELECT {sandbox:UInt32}, {segment:String}, {turn:UInt64},
       bitmapAndnot(bitmapOr(old.members, entered.members), exited.members)
FROM
    (SELECT groupBitmapMergeState(members) AS members FROM memberships FINAL
     WHERE sandbox_id = {sandbox:UInt32} AND segment_id = {segment:String}) AS old,
    (SELECT groupBitmapState(arrayJoin({entered:Array(UInt64)})) AS members) AS entered,
    (SELECT groupBitmapState(arrayJoin({exited:Array(UInt64)})) AS members) AS exited
"""


def settle(sandbox: Sandbox) -> int:
    """Write every unsettled evaluation of the sandbox to the event store; return how many.

    In the order in which they were decided, and one worker at a time: who finds
    another at it leaves at once, for that one sees these rows too or the next tick does.
    """
    with scope(sandbox, _SYSTEM):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [SETTLING_LOCK, sandbox.pk])
            (alone,) = cursor.fetchone() or (False,)
        if not alone:
            return 0
        waiting = list(
            Evaluation.objects.for_sandbox(sandbox).filter(settled_at=None).order_by("number")[:100]
        )
        for evaluation in waiting:
            _write(sandbox, evaluation)
            evaluation.changes = b""
            evaluation.settled_at = timezone.now()
        Evaluation.objects.for_sandbox(sandbox).bulk_update(waiting, ["changes", "settled_at"])
    return len(waiting)


def _write(sandbox: Sandbox, evaluation: Evaluation) -> None:
    changes = unpacked(evaluation.changes)
    rows = [
        {
            "turn": evaluation.number,
            "evaluation_id": str(evaluation.pk),
            "segment_id": change.segment,
            "profile_id": change.profile,
            "entered": int(change.entered),
            "at": evaluation.at,
        }
        for change in changes
    ]
    client.insert("transitions", rows, sandbox=sandbox, token=str(evaluation.pk))
    for segment, (entered, exited) in _by_segment(changes).items():
        client.execute(
            _APPLY,
            sandbox=sandbox,
            params={
                "segment": segment,
                "turn": evaluation.number,
                "entered": entered,
                "exited": exited,
            },
            token=f"{evaluation.pk}:{segment}",
        )


def _by_segment(changes: list[Change]) -> dict[str, tuple[list[int], list[int]]]:
    moved: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for change in changes:
        moved[change.segment][0 if change.entered else 1].append(change.profile)
    return moved
