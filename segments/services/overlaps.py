"""How much two segments have in common."""

from dataclasses import dataclass

from cdp.clickhouse import client
from segments.evaluation.log import MEMBERS
from segments.models import Segment

_OVERLAP = f"""
WITH
  (SELECT groupBitmapMergeState(members) FROM ({MEMBERS}) WHERE segment_id = {{first:String}}) AS one,
  (SELECT groupBitmapMergeState(members) FROM ({MEMBERS}) WHERE segment_id = {{second:String}}) AS other
SELECT bitmapCardinality(one), bitmapCardinality(other), bitmapAndCardinality(one, other)
"""


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many are in the one, in the other and in both."""

    first: int
    second: int
    both: int

    @property
    def share(self) -> float:
        """How much of all members are in both, from 0 to 1."""
        either = self.first + self.second - self.both
        return self.both / either if either else 0.0


def overlap(first: Segment, second: Segment) -> Overlap:
    """Compare the members of two segments as of their last evaluation."""
    [row] = client.fetch_text(
        _OVERLAP,
        sandbox=first.sandbox,
        params={"first": first.pk, "second": second.pk},
        budget=client.LOOKUP,
    )
    return Overlap(*row)
