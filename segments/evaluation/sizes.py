"""How large segments are, now and over time."""

from collections.abc import Sequence
from datetime import datetime

from cdp.tenancy.models import Sandbox
from segments.evaluation import log
from segments.models import Segment, SegmentSize


def write_sizes(sandbox: Sandbox, evaluated: Sequence[str], at: datetime) -> None:
    """Write down how many members each segment has; inside a turn, with everything settled."""
    sizes = log.sizes(sandbox)
    rows = list(Segment.objects.for_sandbox(sandbox).filter(pk__in=evaluated))
    for row in rows:
        row.size, row.evaluated_at = sizes.get(row.pk, 0), at
    Segment.objects.for_sandbox(sandbox).bulk_update(rows, ["size", "evaluated_at"])
    SegmentSize.objects.bulk_create(
        SegmentSize(sandbox=sandbox, segment=row, at=at, size=row.size) for row in rows
    )
