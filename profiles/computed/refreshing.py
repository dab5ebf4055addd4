"""Working attributes out for everybody: after a change of what is computed, and as time goes by.

What a person does is computed at once (`ingest/refining.py`). What time does, when an
event leaves the look-back, is found here: each hour for look-backs of up to a day,
each day for longer ones.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from cdp import queue
from cdp.queue import backlog
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.computed.evaluating import published
from profiles.enums import ComputedState, LookbackUnit
from profiles.ingest.keeping import hand_over
from profiles.ingest.payload import Payload
from profiles.ingest.refining import refine, work_out_now
from profiles.models import ComputedAttribute, Profile
from profiles.topics import COMPUTED_OUTDATED

SLICE: Final = 5_000
ACTOR: Final = Actor.system("profiles.refresh")
_HOURLY: Final = Q(lookback_unit=LookbackUnit.HOURS, lookback_length__lte=24) | Q(
    lookback_unit=LookbackUnit.DAYS, lookback_length=1
)


def refresh_slice(sandbox: Sandbox, after: int) -> None:
    """Work out the attributes of the next profiles, and publish the slice behind them."""
    standing = Profile.objects.for_sandbox(sandbox).filter(vanished=False, pk__gt=after)
    profiles = list(standing.order_by("pk").values_list("pk", flat=True)[:SLICE])
    if not profiles:
        return
    worked_out = work_out_now(sandbox, published(sandbox), profiles)
    refined = refine(sandbox, Payload(changed=profiles), worked_out)
    if refined is not None:
        hand_over(sandbox, refined)
    queue.publish(COMPUTED_OUTDATED, {"after": profiles[-1]}, sandbox=sandbox)


def refresh_due() -> None:
    """Begin to work out anew, in each sandbox, what time may have changed; run every minute.

    Not while everybody is still being gone through: who comes last would never have a turn.
    """
    now = timezone.now()
    for sandbox in Sandbox.objects.select_related("organization").order_by("pk"):
        with scope(sandbox, ACTOR):
            due = ComputedAttribute.objects.for_sandbox(sandbox).filter(_is_due(now))
            if not backlog(sandbox, COMPUTED_OUTDATED) and due.update(evaluated_at=now):
                queue.publish(COMPUTED_OUTDATED, {"after": 0}, sandbox=sandbox)


def _is_due(now: datetime) -> Q:
    hourly = _HOURLY & Q(evaluated_at__lte=now - timedelta(hours=1))
    daily = ~_HOURLY & Q(evaluated_at__lte=now - timedelta(days=1))
    never = Q(evaluated_at=None)
    return Q(state=ComputedState.PUBLISHED) & (hourly | daily | never)
