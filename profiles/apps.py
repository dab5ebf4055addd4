"""Wiring of profiles."""

from django.apps import AppConfig


class ProfilesConfig(AppConfig):
    """People: identities, fragments and the merged view."""

    name = "profiles"
    label = "profiles"

    def ready(self) -> None:
        """Take the doors' records in, finish what is decided elsewhere, name the namespaces."""
        from cdp import jobs
        from cdp.clickhouse import agreement, unfinished
        from cdp.datasets.registries import dataset_keepers
        from cdp.datasets.topics import BATCHES_REVERTED, EVENTS_EXPIRED, RECORDS_RECEIVED
        from cdp.queue import every, subscribe
        from cdp.schemas.registries import identity_namespaces, profile_fields
        from cdp.tenancy import sandboxes
        from profiles import receivers
        from profiles.computed.refreshing import refresh_due
        from profiles.erasing import orders, privacy
        from profiles.erasing.expiry import expire_due
        from profiles.exporting import run
        from profiles.exporting.keeping import expire_exports
        from profiles.ingest.batches import finish_decided
        from profiles.ingest.months import drop_old
        from profiles.ingest.unfinished import open_ids
        from profiles.ingest.worker import RECORDS_A_CLAIM, ingest
        from profiles.selectors.agreement import disagreements
        from profiles.selectors.computed import computed_fields
        from profiles.selectors.fragments import has_fragments
        from profiles.selectors.rules import namespace_codes
        from profiles.services.sandboxes import copy_profiles, count_profiles, forget_profiles
        from profiles.topics import (
            BATCHES_DECIDED,
            COMPUTED_OUTDATED,
            GRAPHS_OUTDATED,
            PROFILES_EMPTIED,
            SNAPSHOTS_OUTDATED,
        )

        agreement.register("profiles", disagreements)
        sandboxes.register(
            "profiles",
            sandboxes.SandboxHandler(
                reset=forget_profiles, copy=copy_profiles, count=count_profiles
            ),
        )
        for table in ("events", "records"):
            unfinished.register(
                f"profiles.{table}", unfinished.Unfinished(table, "ingest_id", open_ids)
            )
        subscribe(RECORDS_RECEIVED, ingest, batch=1_000, records=RECORDS_A_CLAIM, exclusive=True)
        subscribe(BATCHES_DECIDED, finish_decided)
        subscribe(GRAPHS_OUTDATED, receivers.rejudge_graphs, exclusive=True)
        subscribe(SNAPSHOTS_OUTDATED, receivers.retake_snapshots, exclusive=True)
        subscribe(COMPUTED_OUTDATED, receivers.refresh_computed, exclusive=True)
        subscribe(BATCHES_REVERTED, receivers.take_back_batches, exclusive=True)
        subscribe(EVENTS_EXPIRED, receivers.follow_expiry, batch=10, exclusive=True)
        subscribe(PROFILES_EMPTIED, receivers.forget_emptied, exclusive=True)
        every(60, "profiles.computed", refresh_due)
        every(3_600, "profiles.expiry", expire_due)
        every(86_400, "profiles.months", drop_old)
        jobs.register(privacy.KIND, privacy.run_privacy_job)
        every(3_600, "profiles.exports", expire_exports)
        jobs.register(run.KIND, run.run_export)
        jobs.register(orders.KIND, orders.run_deletion)
        identity_namespaces.register("profiles", namespace_codes)
        profile_fields.register("computed-attributes", computed_fields)
        dataset_keepers.register("profiles", has_fragments)
