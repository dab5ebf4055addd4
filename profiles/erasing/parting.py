"""The graphs without links that have been deleted."""

from collections.abc import Iterable

from django.utils import timezone

from cdp.tenancy.models import Sandbox
from profiles.identity.neighbourhood import Held, Pair
from profiles.selectors.rules import linking_rules
from profiles.stitching.refill import refill
from profiles.stitching.stitch import Stitched, resettle


def part(sandbox: Sandbox, removed: Iterable[Pair]) -> Stitched:
    """Work out the graphs of those whom links joined that are no more."""
    changes: dict[Pair, Held | None] = dict.fromkeys(removed)
    if not changes:
        return Stitched()
    rules = linking_rules(sandbox)
    again = refill(sandbox, {end for pair in changes for end in pair}, rules)
    return resettle(sandbox, {**changes, **again}, rules, timezone.now())
