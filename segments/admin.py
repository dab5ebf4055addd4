"""Segments in the console."""

from django.contrib import admin
from django.utils.safestring import SafeString

from cdp.tenancy.console.base import SandboxAdmin, pretty
from segments.models import Composition, Evaluation, Segment, SegmentSchedule, UploadPart


@admin.register(Segment)
class SegmentAdmin(SandboxAdmin):
    list_display = ("name", "owner", "origin", "state", "size", "evaluated_at", "updated_at")
    list_filter = (*SandboxAdmin.list_filter, "origin", "state")
    search_fields = ("name", "id")
    fields = (
        "name",
        "owner",
        "description",
        ("state", "version"),
        "rule_shown",
        ("labels", "on_edge"),
        ("size", "evaluated_at"),
        ("published_at", "created_at", "updated_at"),
    )

    @admin.display(description="Rule")
    def rule_shown(self, segment: Segment) -> SafeString:
        """The rule as a tree."""
        return pretty(segment.rule)


@admin.register(Composition)
class CompositionAdmin(SandboxAdmin):
    list_display = ("name", "owner", "state", "version", "updated_at")
    search_fields = ("name", "id")
    fields = (
        "name",
        "owner",
        "description",
        ("state", "version"),
        "definition_shown",
        ("published_at", "created_at", "updated_at"),
    )

    @admin.display(description="Definition")
    def definition_shown(self, composition: Composition) -> SafeString:
        """The definition as a tree."""
        return pretty(composition.definition)


@admin.register(UploadPart)
class UploadPartAdmin(SandboxAdmin):
    list_display = ("batch_id", "owner", "upload", "mode", "rows", "stored_at", "over")
    fields = ("batch_id", "owner", "upload", "mode", "rows", ("stored_at", "over"), "created_at")


@admin.register(Evaluation)
class EvaluationAdmin(SandboxAdmin):
    list_display = ("id", "owner", "kind", "state", "at", "entered", "exited", "ended_at")
    fields = (
        "owner",
        "kind",
        ("state", "reason"),
        "at",
        ("entered", "exited"),
        "attempts",
        "ended_at",
    )


@admin.register(SegmentSchedule)
class SegmentScheduleAdmin(SandboxAdmin):
    list_display = ("name", "owner", "enabled", "next_run_at", "last_run_at")
    search_fields = ("name", "id")
    fields = ("name", "owner", "schedule", "segments", "enabled", ("next_run_at", "last_run_at"))
