"""Wiring of profiles."""

from django.apps import AppConfig


class ProfilesConfig(AppConfig):
    """People: identities, fragments and the merged view."""

    name = "profiles"
    label = "profiles"

    def ready(self) -> None:
        """Take the doors' records in."""
        from cdp.datasets.topics import RECORDS_RECEIVED
        from cdp.queue import subscribe
        from profiles.ingest.worker import RECORDS_AT_ONCE, ingest

        subscribe(RECORDS_RECEIVED, ingest, batch=1_000, records=RECORDS_AT_ONCE, exclusive=True)
