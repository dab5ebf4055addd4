"""Rows that have run out or were replaced: they count no more at once, and go bit by bit."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from cdp.queue import Claim, publish
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.sets import execute
from segments.enums import SegmentState
from segments.models import Upload, UploadPart
from segments.services.evaluations import request_evaluation
from segments.topics import UPLOAD_ENDS, UPLOAD_ROWS_OVER

ROWS_AT_ONCE: Final = 10_000
_ACTOR: Final = Actor.system("segments.upload")
_REMOVE: Final = """
DELETE FROM segments_uploadrow WHERE id IN (
  SELECT id FROM segments_uploadrow
  WHERE sandbox_id + 0 = %(sandbox)s AND batch_id = %(batch)s ORDER BY id LIMIT %(most)s
)
"""


def ends_at(part: UploadPart) -> datetime:
    """Return the moment from which a part's rows make nobody a member any more."""
    return (part.stored_at or timezone.now()) + timedelta(days=part.upload.ttl_days)


def end_parts(claim: Claim) -> None:
    """Have the parts of uploads end whose time has come, and their members leave."""
    for item in claim.items:
        with scope(claim.sandbox, _ACTOR):
            _end_parts(claim.sandbox, item.payload["upload"])
            claim.finish([item])


def remove_rows(claim: Claim) -> None:
    """Remove the rows of batches that are over."""
    for item in claim.items:
        _remove(claim, item.payload["batches"])
        with scope(claim.sandbox, _ACTOR):
            claim.finish([item])


def _end_parts(sandbox: Sandbox, upload_id: str) -> None:
    upload = Upload.objects.for_sandbox(sandbox).select_related("segment").filter(
        pk=upload_id
    ).first()  # fmt: skip
    if upload is None:
        return
    now = timezone.now()
    counting = upload.parts.filter(stored_at__isnull=False, over=False).select_related("upload")
    ended = [part.pk for part in counting if ends_at(part) <= now]
    if not ended:
        return
    upload.parts.filter(pk__in=ended).update(over=True)
    publish(UPLOAD_ROWS_OVER, {"batches": ended}, sandbox=sandbox)
    if upload.segment.state == SegmentState.PUBLISHED:
        request_evaluation(actor=_ACTOR, sandbox=sandbox, segments=[upload_id])


def plan_ends(upload: Upload) -> None:
    """Have parts looked at when they end, after their time has been changed."""
    for part in upload.parts.filter(stored_at__isnull=False, over=False).select_related("upload"):
        moment = max(ends_at(part), timezone.now())
        publish(UPLOAD_ENDS, {"upload": upload.pk}, sandbox=upload.sandbox, available_at=moment)


def _remove(claim: Claim, batches: Iterable[str]) -> None:
    for batch in batches:
        removed = ROWS_AT_ONCE
        while removed == ROWS_AT_ONCE:
            with scope(claim.sandbox, _ACTOR):
                removed = execute(_REMOVE, claim.sandbox, batch=batch, most=ROWS_AT_ONCE)
            claim.heartbeat()
