"""Datasets in the operators' console: to look at, not to change."""

from django.contrib import admin
from django.utils.safestring import SafeString

from cdp.datasets.models.datasets import Dataset
from cdp.datasets.models.inlets import Inlet
from cdp.datasets.models.receipts import Receipt, RejectedRecord
from cdp.tenancy.console.base import SandboxAdmin, pretty


@admin.register(Dataset)
class DatasetAdmin(SandboxAdmin):
    list_display = ("name", "owner", "schema", "behavior", "profile_enabled_at", "updated_at")
    list_select_related = ("sandbox__organization", "schema")
    search_fields = ("name", "id")


@admin.register(Inlet)
class InletAdmin(SandboxAdmin):
    list_display = ("name", "owner", "door", "enabled", "requires_key", "updated_at")
    search_fields = ("name", "id")


@admin.register(Receipt)
class ReceiptAdmin(SandboxAdmin):
    list_display = ("id", "owner", "received_at", "records", "stored", "duplicates", "rejected")
    search_fields = ("id__exact",)


@admin.register(RejectedRecord)
class RejectedRecordAdmin(SandboxAdmin):
    list_display = ("id", "owner", "dataset_id", "receipt_id", "received_at")
    search_fields = ("id__exact", "receipt_id__exact")
    fields = ("owner", "dataset_id", "receipt_id", "reasons", "raw", "received_at")

    @admin.display(description="Reasons")
    def reasons(self, rejected: RejectedRecord) -> SafeString:
        """Why it was put aside."""
        return pretty(rejected.errors)
