"""Datasets and what came in, in the console."""

from django.contrib import admin
from django.utils.safestring import SafeString

from cdp.datasets.models import Batch, Dataset, Inlet, Receipt, RejectedRecord
from cdp.tenancy.console.base import SandboxAdmin, pretty


@admin.register(Dataset)
class DatasetAdmin(SandboxAdmin):
    list_display = ("owner", "name", "schema", "behavior", "profile_enabled_at", "updated_at")
    list_filter = (*SandboxAdmin.list_filter, "behavior", "system")
    list_select_related = (*SandboxAdmin.list_select_related, "schema")
    search_fields = ("name", "id")
    fields = (
        "name",
        "owner",
        "description",
        ("schema", "behavior"),
        ("profile_enabled_at", "identity_enabled", "upsert"),
        ("dedup_days", "retention_days"),
        ("labels", "field_labels", "tags"),
        "system",
        ("created_at", "updated_at"),
    )


@admin.register(Inlet)
class InletAdmin(SandboxAdmin):
    list_display = ("owner", "name", "door", "requires_key", "enabled", "updated_at")
    list_filter = (*SandboxAdmin.list_filter, "door", "enabled")
    search_fields = ("name", "id")
    fields = (
        "name",
        "owner",
        "id",
        ("door", "requires_key", "enabled"),
        "writes_to",
        "shown_settings",
        ("created_at", "updated_at"),
    )

    @admin.display(description="Writes to")
    def writes_to(self, inlet: Inlet) -> str:
        """The datasets in their order."""
        return ", ".join(
            route.dataset.name for route in inlet.routes.select_related("dataset").all()
        )

    @admin.display(description="Settings")
    def shown_settings(self, inlet: Inlet) -> SafeString:
        """The door's settings."""
        return pretty(inlet.settings)


@admin.register(Batch)
class BatchAdmin(SandboxAdmin):
    list_display = (
        "owner", "id", "dataset", "state", "input_records", "stored_records", "failed_records",
        "created_at",
    )  # fmt: skip
    list_filter = (*SandboxAdmin.list_filter, "state", "input_format")
    list_select_related = (*SandboxAdmin.list_select_related, "dataset")
    search_fields = ("id", "external_id")
    fields = (
        "id",
        "owner",
        "external_id",
        "dataset",
        ("state", "reason"),
        ("input_format", "partial_percent"),
        ("input_files", "input_bytes", "input_records"),
        ("stored_records", "duplicate_records", "failed_records"),
        ("chunks_stored", "chunks"),
        "shown_errors",
        ("created_at", "started_at", "completed_at"),
    )

    @admin.display(description="Errors")
    def shown_errors(self, batch: Batch) -> SafeString:
        """Counts of bad rows by code."""
        return pretty(batch.errors)


@admin.register(Receipt)
class ReceiptAdmin(SandboxAdmin):
    list_display = (
        "owner", "id", "records", "stored", "duplicates", "rejected", "received_at",
        "finished_at",
    )  # fmt: skip
    search_fields = ("id", "inlet_id", "batch_id")
    fields = (
        "id",
        "owner",
        ("inlet_id", "batch_id"),
        ("records", "stored", "duplicates", "rejected", "ids_assigned"),
        ("received_at", "finished_at"),
    )


@admin.register(RejectedRecord)
class RejectedRecordAdmin(SandboxAdmin):
    list_display = ("owner", "id", "dataset", "first_error", "received_at", "replayed_at")
    list_select_related = (*SandboxAdmin.list_select_related, "dataset")
    search_fields = ("id", "receipt_id", "batch_id")
    fields = (
        "id",
        "owner",
        "dataset",
        ("receipt_id", "position", "batch_id"),
        "shown_errors",
        "raw",
        ("received_at", "replayed_at", "replay_receipt_id"),
    )

    @admin.display(description="Reason")
    def first_error(self, row: RejectedRecord) -> str:
        """The first of its reasons."""
        return f"{row.errors[0]['path']}: {row.errors[0]['detail']}" if row.errors else ""

    @admin.display(description="Errors")
    def shown_errors(self, row: RejectedRecord) -> SafeString:
        """All of its reasons."""
        return pretty(row.errors)
