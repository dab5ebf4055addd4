"""Segments over HTTP: thin over the services."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import CreateMixin, DeleteMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.serializers import read_query
from cdp.api.views import SandboxViewSet
from cdp.errors import Malformed
from profiles.ids import parse_profile_key, profile_key
from segments import selectors
from segments.api.filters import SegmentFilter
from segments.api.serializers import (
    HistoryOut,
    MembersOut,
    MembersQuery,
    RuleExplanationOut,
    SegmentIn,
    SegmentOut,
    SegmentPatch,
)
from segments.dependents import dependents
from segments.explaining import explained
from segments.language.tree import schema
from segments.members import members_after
from segments.models import Segment
from segments.payload import payload_of
from segments.seeing import seen_payload
from segments.services import lifecycle

_READS = ("list", "retrieve", "dependents", "explain", "members", "history", "published_schema")


class SegmentViewSet(
    ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet
):
    """Rules that say who."""

    noun = "segment"
    permissions = {**dict.fromkeys(_READS, "view-segments"), "*": "manage-segments"}
    serializer_class = SegmentOut
    filterset_class = SegmentFilter
    query_parameters = ("dataset_id",)
    ordering_fields = ("name", "size", "created_at", "updated_at")

    def get_queryset(self) -> QuerySet[Segment]:
        dataset = self.request.query_params.get("dataset_id") if self.action == "list" else None
        if dataset is not None:
            return selectors.list_of_dataset(self.sandbox, dataset)
        return selectors.list_segments(self.sandbox)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "dataset_id", str,
                description="Those that name a field of this dataset, or whose members it enriches.",
            )
        ]
    )  # fmt: skip
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List segments, newest first, in pages; filters come together."""
        return super().list(request, *args, **kwargs)

    def get_input_class(self) -> Any:
        return SegmentPatch if self.action == "partial_update" else SegmentIn

    def perform_create(self, values: dict[str, Any]) -> Segment:
        return lifecycle.create_segment(actor=self.actor, sandbox=self.sandbox, **values)

    def perform_patch(self, row: Segment, changes: dict[str, Any]) -> Segment:
        return lifecycle.change_segment(actor=self.actor, segment=row, **changes)

    def perform_delete(self, row: Segment) -> None:
        lifecycle.delete_segment(actor=self.actor, segment=row)

    @extend_schema(request=None, responses=SegmentOut)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Publish it: it is evaluated for everybody now, and from now on whenever something happens."""
        row = self.get_locked_object()
        return self.shown(lifecycle.publish_segment(actor=self.actor, segment=row))

    @extend_schema(request=None, responses=SegmentOut)
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, pk: str) -> Response:
        """Make it inactive: its members stay as they are, nothing is evaluated any more."""
        row = self.get_locked_object()
        return self.shown(lifecycle.deactivate_segment(actor=self.actor, segment=row))

    @action(detail=True, methods=["get"])
    def dependents(self, request: Request, pk: str) -> Response:
        """List what is built on it and keeps it from being deleted."""
        return Response({"results": dependents(self.get_object())})

    @extend_schema(responses=RuleExplanationOut)
    @action(detail=True, methods=["get"])
    def explain(self, request: Request, pk: str) -> Response:
        """Explain its rule: the fields and labels, the methods possible and why, the cost."""
        return Response(RuleExplanationOut(explained(self.get_object())).data)

    @extend_schema(responses=HistoryOut)
    @action(detail=True, methods=["get"])
    def history(self, request: Request, pk: str) -> Response:
        """Show what its rule has been and how large it was, the newest first."""
        segment = self.get_object()
        shown = {
            "versions": selectors.list_versions(segment)[:100],
            "sizes": selectors.list_sizes(segment)[:1_000],
        }
        return Response(HistoryOut(shown).data)

    @extend_schema(summary="Read the form of a rule", responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["get"], url_path="schema", pagination_class=None)
    def published_schema(self, request: Request) -> Response:
        """Return the JSON Schema of a rule's tree."""
        return Response(schema())

    @extend_schema(parameters=[MembersQuery], responses=MembersOut)
    @action(detail=True, methods=["get"], filter_backends=(), pagination_class=None)
    def members(self, request: Request, pk: str) -> Response:
        """List its members as of the last evaluation, in the order of their ids."""
        asked = read_query(request, MembersQuery)
        limit, segment = asked["limit"], self.get_object()
        found = members_after(segment, _after(asked.get("after")), limit)
        keys = [profile_key(profile) for profile in found]
        page: dict[str, Any] = {"results": keys, "next": keys[-1] if len(keys) == limit else None}
        if asked["attributes"]:
            known = seen_payload(segment, self.actor, payload_of(segment, found))
            page["attributes"] = {profile_key(key): own for key, own in known.items()}
        return Response(page)


def _after(text: str | None) -> int:
    """Return the profile after which a page begins. Raises `Malformed`."""
    if text is None:
        return 0
    number = parse_profile_key(text)
    if number is None:
        raise Malformed("`after` is the id of a profile; take it from `next`.", code="bad_cursor")
    return number
