"""Wiring of segments."""

from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    """Which people: rules and their members."""

    name = "segments"
    label = "segments"

    def ready(self) -> None:
        """Listen to what happens to people, tell visitors of their segments, answer for both."""
        from cdp.api.registries import interact_answers
        from cdp.datasets.registries import batch_takers
        from cdp.queue import every, subscribe
        from cdp.queue.subscriptions import LONG_WORK
        from cdp.tenancy import sandboxes
        from profiles.registries import personal_data, segment_facts
        from profiles.topics import PROFILES_CHANGED
        from segments.edge import visitor_segments
        from segments.evaluation.keeping import keep_where_due
        from segments.evaluation.settling import settle_left
        from segments.receivers import (
            evaluation_wanted,
            profiles_changed,
            rechecks_due,
            schedules_due,
            segment_deleted,
        )
        from segments.services import people
        from segments.services import sandboxes as handlers
        from segments.services.copying import copy_segments
        from segments.topics import (
            EVALUATION_WANTED,
            MEMBERSHIPS_CHANGED,
            RECHECKS_DUE,
            ROWS_UPLOADED,
            SCHEDULES_DUE,
            SEGMENT_DELETED,
            UPLOAD_ENDS,
            UPLOAD_ROWS_OVER,
        )
        from segments.uploading.ending import end_parts, remove_rows
        from segments.uploading.taking import take_rows, transform_of

        subscribe(
            PROFILES_CHANGED,
            profiles_changed,
            records=5_000,
            exclusive=True,
            then=MEMBERSHIPS_CHANGED,
        )
        subscribe(EVALUATION_WANTED, evaluation_wanted, batch=1, exclusive=True, lane=LONG_WORK)
        subscribe(RECHECKS_DUE, rechecks_due, exclusive=True, then=MEMBERSHIPS_CHANGED)
        subscribe(SCHEDULES_DUE, schedules_due)
        interact_answers.register("segments", visitor_segments)
        subscribe(SEGMENT_DELETED, segment_deleted, batch=1, lane=LONG_WORK)
        subscribe(ROWS_UPLOADED, take_rows, batch=10, exclusive=True, lane=LONG_WORK)
        subscribe(UPLOAD_ENDS, end_parts)
        subscribe(UPLOAD_ROWS_OVER, remove_rows, batch=1, lane=LONG_WORK)
        every(60, "segments.settle", settle_left)
        every(3_600, "segments.keep", keep_where_due, lane=LONG_WORK)
        batch_takers.register(ROWS_UPLOADED, transform_of)
        segment_facts.register("segments", people.segment_facts)
        personal_data.register("segments", people.personal_data)
        sandboxes.register(
            "segments",
            sandboxes.SandboxHandler(
                reset=handlers.forget_segments,
                copy=copy_segments,
                erase=people.erase_person,
                count=handlers.count_segments,
            ),
        )
