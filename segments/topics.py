"""Topics of the durable queue that this app speaks on."""

from typing import Final

MEMBERSHIPS_CHANGED: Final = "memberships.changed"
"""Payload: `segment`, `evaluation`, and the profile ids that `entered` and `exited`."""

EVALUATION_WANTED: Final = "segments.evaluation-wanted"
"""Payload: `evaluation`, the id of one of the whole sandbox that waits to be made."""

RECHECKS_DUE: Final = "segments.rechecks-due"
"""No payload: memberships of the sandbox have changed with time, or soon will."""

SCHEDULES_DUE: Final = "segments.schedules-due"
"""Payload: `schedule`, and the moment `at` for which this timer was set."""

SEGMENT_DELETED: Final = "segments.deleted"
"""Payload: `segment`, the id of one that is to be taken off the profiles."""

ROWS_UPLOADED: Final = "segments.rows-uploaded"
"""Payload: `batch` for an uploaded segment, with `details.chunk`, or alone when it is whole."""

UPLOAD_ENDS: Final = "segments.upload-ends"
"""Payload: `upload`, a segment some of whose rows may have run out."""

UPLOAD_ROWS_OVER: Final = "segments.upload-rows-over"
"""Payload: `batches` whose rows are to be removed."""
