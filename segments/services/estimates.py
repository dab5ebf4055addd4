"""How many people a rule would find, and who some of them are, before it is saved.

Up to a million profiles everybody is asked, so the number is exact. Beyond that a
sample of about a million is: always the same profiles, so that two rules differ by
what they ask and not by whom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.utils import timezone

from cdp.clickhouse import client
from cdp.tenancy.models import Sandbox
from profiles.models import Identity
from profiles.selectors.identities import members_of
from segments.evaluation.stored import Logged
from segments.language.ast import Condition
from segments.language.clock import Clock, to_millis
from segments.language.sql.scan import estimate_scan
from segments.language.vocabulary import Vocabulary

SAMPLE: Final = 1_000_000
PREVIEWED: Final = 1_000
_NINETY_FIVE: Final = 1.96  # standard errors to either side


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many profiles there are, were asked and satisfied; and what follows for all."""

    profiles: int
    asked: int
    matched: int
    size: int
    low: int
    high: int
    preview: Sequence[int]
    namespaces: dict[str, int]


def estimate(sandbox: Sandbox, rule: Condition, words: Vocabulary) -> Estimate:
    """Estimate the size of a segment with this rule, with a 95 % confidence interval."""
    profiles = _count_profiles(sandbox)
    thousandths = min(1_000, -(-1_000 * SAMPLE // max(profiles, 1)))
    clock = Clock(to_millis(timezone.now()), ZoneInfo(sandbox.time_zone))
    scan = estimate_scan(
        rule, words, clock, thousandths=thousandths, shown=PREVIEWED, stored=Logged()
    )
    [(asked, matched, preview)] = client.fetch_text(
        scan.text, sandbox=sandbox, params=scan.parameters, budget=client.FULL
    )
    if thousandths == 1_000:
        profiles = asked
    low, size, high = interval(profiles, asked, matched)
    return Estimate(
        profiles, asked, matched, size, low, high, preview, _namespaces(sandbox, preview)
    )


def interval(profiles: int, asked: int, matched: int) -> tuple[int, int, int]:
    """Return the lowest, the likeliest and the highest size, given how many of a sample matched.

    >>> interval(1_000, 1_000, 250)
    (250, 250, 250)
    >>> interval(10_000_000, 1_000_000, 250_000)
    (2491949, 2500000, 2508051)
    """
    if asked == 0:
        return 0, 0, 0
    share = matched / asked
    unasked = max(profiles - asked, 0) / max(profiles - 1, 1)
    error = _NINETY_FIVE * sqrt(share * (1 - share) / asked * unasked) * profiles
    size = round(share * profiles)
    return max(round(size - error), matched), size, min(round(size + error), profiles)


def _count_profiles(sandbox: Sandbox) -> int:
    [[count]] = client.fetch_text(
        "SELECT count() FROM profiles FINAL WHERE sandbox_id = {sandbox:UInt32}",
        sandbox=sandbox,
        budget=client.FULL,
    )
    return int(count)


def _namespaces(sandbox: Sandbox, profiles: Sequence[int]) -> dict[str, int]:
    """Return how many of these profiles have an identity of each namespace."""
    rows = Identity.objects.for_sandbox(sandbox).filter(pk__in=members_of(sandbox, profiles))
    counted = rows.values("namespace").annotate(people=Count("profile_id", distinct=True))
    return {row["namespace"]: row["people"] for row in counted.order_by("namespace")}
