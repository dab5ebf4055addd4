"""Schedules of evaluation over HTTP."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from cdp.api.mixins import CreateMixin, DeleteMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.serializers import StrictSerializer, example
from cdp.api.views import SandboxViewSet
from segments import selectors
from segments.models import SegmentSchedule
from segments.services import schedules


class SegmentScheduleOut(serializers.ModelSerializer[SegmentSchedule]):
    """When segments are evaluated; each run is a segment job."""

    class Meta:
        model = SegmentSchedule
        fields = (
            "id",
            "name",
            "schedule",
            "segments",
            "enabled",
            "next_run_at",
            "last_run_at",
            "created_at",
            "updated_at",
        )


@example({"name": "Every night", "schedule": {"cron": "0 1 * * *"}})
class SegmentScheduleIn(StrictSerializer):
    """A schedule, on the clock of the sandbox."""

    name = serializers.CharField(max_length=200)
    schedule = serializers.DictField(
        help_text='{"cron": "0 1 * * *"} or {"every": 1, "unit": "day"}; `start_at` if wanted. '
        '{"start_at": ...} alone runs once.'
    )
    segments = serializers.ListField(
        child=serializers.CharField(max_length=40),
        required=False,
        max_length=500,
        help_text="All published ones if none is named.",
    )
    enabled = serializers.BooleanField(required=False)


class SegmentScheduleViewSet(
    ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet
):
    """When segments are evaluated for everybody."""

    noun = "segment schedule"
    permissions = {"list": "view-segments", "retrieve": "view-segments", "*": "manage-segments"}
    serializer_class = SegmentScheduleOut
    input_class = SegmentScheduleIn
    filterset_fields = ("name", "enabled")
    ordering_fields = ("name",)

    def get_queryset(self) -> QuerySet[SegmentSchedule]:
        return selectors.list_schedules(self.sandbox)

    def perform_create(self, values: dict[str, Any]) -> SegmentSchedule:
        return schedules.create_schedule(actor=self.actor, sandbox=self.sandbox, **values)

    def perform_patch(self, row: SegmentSchedule, changes: dict[str, Any]) -> SegmentSchedule:
        return schedules.change_schedule(actor=self.actor, row=row, **changes)

    def perform_delete(self, row: SegmentSchedule) -> None:
        schedules.delete_schedule(actor=self.actor, row=row)
