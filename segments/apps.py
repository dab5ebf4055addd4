"""Wiring of segments."""

from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    """Which people: rules and their members."""

    name = "segments"
    label = "segments"

    def ready(self) -> None:
        """Listen to what happens to people."""
        from cdp.queue import subscribe
        from cdp.queue.subscriptions import LONG_WORK
        from profiles.topics import PROFILES_CHANGED
        from segments.receivers import evaluation_wanted, profiles_changed, rechecks_due
        from segments.topics import EVALUATION_WANTED, RECHECKS_DUE

        subscribe(PROFILES_CHANGED, profiles_changed, records=5_000, exclusive=True)
        subscribe(EVALUATION_WANTED, evaluation_wanted, batch=1, exclusive=True, lane=LONG_WORK)
        subscribe(RECHECKS_DUE, rechecks_due, exclusive=True)
