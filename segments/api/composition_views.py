"""Compositions over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import CreateMixin, DeleteMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.views import SandboxViewSet
from segments import selectors
from segments.api.composition_serializers import (
    CompositionExplanationOut,
    CompositionIn,
    CompositionOut,
    CompositionPatch,
)
from segments.compositions.reading import schema
from segments.explaining import explained
from segments.models import Composition
from segments.services import compositions

_READS = ("list", "retrieve", "explain", "published_schema")


class CompositionViewSet(
    ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet
):
    """Segments put together from others."""

    noun = "composition"
    permissions = {**dict.fromkeys(_READS, "view-segments"), "*": "manage-segments"}
    serializer_class = CompositionOut
    filterset_fields = ("name", "state")
    ordering_fields = ("name", "updated_at")

    def get_queryset(self) -> QuerySet[Composition]:
        return selectors.list_compositions(self.sandbox)

    def get_input_class(self) -> Any:
        return CompositionPatch if self.action == "partial_update" else CompositionIn

    def perform_create(self, values: dict[str, Any]) -> Composition:
        return compositions.create_composition(actor=self.actor, sandbox=self.sandbox, **values)

    def perform_patch(self, row: Composition, changes: dict[str, Any]) -> Composition:
        changed = compositions.change_composition(actor=self.actor, composition=row, **changes)
        return self.get_queryset().get(pk=changed.pk)  # with the results as they are now

    def perform_delete(self, row: Composition) -> None:
        compositions.delete_composition(actor=self.actor, composition=row)

    @extend_schema(summary="Publish a composition", request=None, responses=CompositionOut)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Publish it: what it results in is evaluated now, and from now on."""
        compositions.publish_composition(actor=self.actor, composition=self.get_locked_object())
        return self.shown(self.get_object())

    @extend_schema(summary="Freeze a composition", request=None, responses=CompositionOut)
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, pk: str) -> Response:
        """Make it inactive: the members of what it results in stay as they are."""
        compositions.deactivate_composition(actor=self.actor, composition=self.get_locked_object())
        return self.shown(self.get_object())

    @extend_schema(summary="Explain a composition", responses=CompositionExplanationOut)
    @action(detail=True, methods=["get"])
    def explain(self, request: Request, pk: str) -> Response:
        """Explain what each result looks at, and how it is kept up to date."""
        shown = []
        for segment in selectors.list_results(self.get_object()):
            said = explained(segment)
            used = sorted({each["path"] for each in said["fields_used"]})
            shown.append({**said, "segment_id": segment.pk, "branch": segment.branch})
            shown[-1]["fields_used"] = used
        return Response(CompositionExplanationOut({"results": shown}).data)

    @extend_schema(summary="Read the form of a composition", responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["get"], url_path="schema", pagination_class=None)
    def published_schema(self, request: Request) -> Response:
        """Return the JSON Schema of a composition's definition."""
        return Response(schema())
