"""How many people are in a segment, roughly: what somebody who sends it wants to know first."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from cdp.clickhouse.errors import BudgetExceeded, StoreUnavailable
from segments.enums import SegmentOrigin
from segments.language.tree_reading import read_condition
from segments.models import Segment
from segments.services.estimates import estimate
from segments.vocabulary import vocabulary


@dataclass(frozen=True, slots=True)
class RoughSize:
    """A number of people and the moment it is of."""

    size: int
    at: datetime
    estimated: bool


def rough_size(segment: Segment, *, estimated: bool) -> RoughSize | None:
    """Return a segment's size as last counted; if it never was, estimated now if that is wanted.

    None where nothing is known: a composition that has not been evaluated, or a rule while
    the event store is away.
    """
    if segment.evaluated_at is not None:
        return RoughSize(segment.size, segment.evaluated_at, estimated=False)
    if not estimated or segment.origin != SegmentOrigin.RULE:
        return None
    words = vocabulary(segment.sandbox)
    try:
        found = estimate(segment.sandbox, read_condition(segment.rule), words)
    except (StoreUnavailable, BudgetExceeded):
        return None
    return RoughSize(found.size, timezone.now(), estimated=True)
