"""Reading the members of a segment, page by page."""

from cdp.clickhouse import client
from segments.evaluation.log import MEMBERS
from segments.models import Segment

_PAGE = f"""
SELECT arrayJoin(bitmapToArray(bitmapSubsetLimit(members, {{after:UInt64}}, {{limit:UInt64}})))
FROM ({MEMBERS}) WHERE segment_id = {{segment:String}}
"""


def members_after(segment: Segment, after: int, limit: int) -> list[int]:
    """Return the next members in the order of their ids, as of the last evaluation."""
    rows = client.fetch_text(
        _PAGE,
        sandbox=segment.sandbox,
        params={"segment": segment.pk, "after": after + 1, "limit": limit},
        budget=client.LOOKUP,
    )
    return sorted(profile for (profile,) in rows)
