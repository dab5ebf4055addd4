"""Segments over HTTP: thin over the services."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import CreateMixin, DeleteMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.views import SandboxViewSet
from segments import selectors
from segments.api.serializers import SegmentIn, SegmentOut, SegmentPatch
from segments.dependents import dependents
from segments.models import Segment
from segments.services import lifecycle


class SegmentViewSet(
    ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet
):
    """Rules that say who."""

    noun = "segment"
    permissions = {
        "list": "view-segments",
        "retrieve": "view-segments",
        "dependents": "view-segments",
        "*": "manage-segments",
    }
    serializer_class = SegmentOut
    filterset_fields = ("name", "state")
    ordering_fields = ("name", "updated_at")

    def get_queryset(self) -> QuerySet[Segment]:
        return selectors.list_segments(self.sandbox)

    def get_input_class(self) -> Any:
        return SegmentPatch if self.action == "partial_update" else SegmentIn

    def perform_create(self, values: dict[str, Any]) -> Segment:
        return lifecycle.create_segment(actor=self.actor, sandbox=self.sandbox, **values)

    def perform_patch(self, row: Segment, changes: dict[str, Any]) -> Segment:
        return lifecycle.change_segment(actor=self.actor, segment=row, **changes)

    def perform_delete(self, row: Segment) -> None:
        lifecycle.delete_segment(actor=self.actor, segment=row)

    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Publish it: it is evaluated for everybody now, and from now on whenever something happens."""
        row = self.get_locked_object()
        return self.shown(lifecycle.publish_segment(actor=self.actor, segment=row))

    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, pk: str) -> Response:
        """Make it inactive: its members stay as they are, nothing is evaluated any more."""
        row = self.get_locked_object()
        return self.shown(lifecycle.deactivate_segment(actor=self.actor, segment=row))

    @action(detail=True, methods=["get"])
    def dependents(self, request: Request, pk: str) -> Response:
        """List what is built on it and keeps it from being deleted."""
        return Response({"results": dependents(self.get_object())})
