"""The queue in the console."""

from collections import defaultdict

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from cdp.queue import buried
from cdp.queue.models import PeriodicRun, QueueItem
from cdp.tenancy.console.base import LookingAdmin, SandboxAdmin, operator_actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope


@admin.register(QueueItem)
class QueueItemAdmin(SandboxAdmin):
    list_display = ("public_id", "owner", "topic", "key", "count", "state", "created_at", "error")
    list_filter = (*SandboxAdmin.list_filter, ("buried_at", admin.EmptyFieldListFilter))
    search_fields = ("key__exact", "topic__exact")
    exclude = ("body",)
    actions = ("replay",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[QueueItem]:
        return super().get_queryset(request).defer("body")

    @admin.display(description="State")
    def state(self, row: QueueItem) -> str:
        """Where the row is."""
        if row.buried_at:
            return "buried"
        return "claimed" if row.claim else "waiting"

    @admin.action(description="Replay the selected items that are buried", permissions=["view"])
    def replay(self, request: HttpRequest, queryset: QuerySet[QueueItem]) -> None:
        """Put them back to work as if they were new."""
        actor = operator_actor(request)
        chosen: defaultdict[Sandbox, list[str]] = defaultdict(list)
        for item in queryset.filter(buried_at__isnull=False).select_related(
            "sandbox__organization"
        ):
            chosen[item.sandbox].append(item.public_id)
        for sandbox, ids in chosen.items():
            with scope(sandbox, actor):
                buried.replay(ids, sandbox=sandbox, actor=actor)
        messages.success(request, f"{sum(map(len, chosen.values()))} items are on their way again.")


@admin.register(PeriodicRun)
class PeriodicRunAdmin(LookingAdmin):
    list_display = ("name", "due_at")
