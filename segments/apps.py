"""Wiring of segments."""

from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    """Which people: rules and their members."""

    name = "segments"
    label = "segments"

    def ready(self) -> None:
        """Listen to what happens to people, and tell visitors of their segments."""
        from cdp.api.registries import interact_answers
        from cdp.queue import subscribe
        from cdp.queue.subscriptions import LONG_WORK
        from profiles.topics import PROFILES_CHANGED
        from segments.edge import visitor_segments
        from segments.receivers import (
            evaluation_wanted,
            profiles_changed,
            rechecks_due,
            schedules_due,
            segment_deleted,
        )
        from segments.topics import (
            EVALUATION_WANTED,
            RECHECKS_DUE,
            SCHEDULES_DUE,
            SEGMENT_DELETED,
        )

        subscribe(PROFILES_CHANGED, profiles_changed, records=5_000, exclusive=True)
        subscribe(EVALUATION_WANTED, evaluation_wanted, batch=1, exclusive=True, lane=LONG_WORK)
        subscribe(RECHECKS_DUE, rechecks_due, exclusive=True)
        subscribe(SCHEDULES_DUE, schedules_due)
        interact_answers.register("segments", visitor_segments)
        subscribe(SEGMENT_DELETED, segment_deleted, batch=1, lane=LONG_WORK)
