"""Source types, connections and flows over HTTP."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import (
    CreateMixin,
    DeleteMixin,
    InputMixin,
    ListMixin,
    PatchMixin,
    RetrieveMixin,
)
from cdp.api.views import SandboxViewSet
from cdp.datasets import selectors, sourcing
from cdp.datasets.api.source_serializers import (
    ExploreOut,
    ExploreQuery,
    FlowIn,
    FlowOut,
    FlowPatch,
    FlowRunOut,
    RunIn,
    SampleOut,
    SelectionIn,
    SourceConnectionIn,
    SourceConnectionOut,
    SourceConnectionPatch,
    SourceTypeOut,
    TestOut,
)
from cdp.datasets.enums import FlowState
from cdp.datasets.models import Connection, Flow, FlowRun
from cdp.datasets.services import connections, flows
from cdp.datasets.sources.registry import get_type, list_types

_READ_AND_MANAGE = {
    "list": "view-sources",
    "retrieve": "view-sources",
    "runs": "view-sources",
    "*": "manage-sources",
}


class SourceTypeViewSet(SandboxViewSet):
    """Kinds of source that can be connected to."""

    noun = "source type"
    permissions = {"*": "view-sources"}
    serializer_class = SourceTypeOut
    pagination_class = None

    @extend_schema(
        parameters=[
            OpenApiParameter("search", str, description="A text in name or description."),
            OpenApiParameter("category", str, description="Such as CRM."),
        ],
        responses=SourceTypeOut(many=True),
    )
    def list(self, request: Request) -> Response:
        """List the kinds of source: of a category, or with a text in their description."""
        found = list_types(
            request.query_params.get("search", ""), request.query_params.get("category", "")
        )
        return Response({"results": SourceTypeOut(found, many=True).data})

    @extend_schema(responses=SourceTypeOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read a kind of source with the schemas of its settings."""
        return Response(SourceTypeOut(get_type(pk)).data)


class ConnectionViewSet(
    ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet
):
    """Connections to sources."""

    noun = "connection"
    permissions = _READ_AND_MANAGE
    serializer_class = SourceConnectionOut
    filterset_fields = ("name", "kind")
    ordering_fields = ("name", "updated_at")

    def get_queryset(self) -> QuerySet[Connection]:
        return selectors.list_connections(self.sandbox)

    def get_input_class(self) -> Any:
        return {"partial_update": SourceConnectionPatch, "preview": SelectionIn}.get(
            self.action or "", SourceConnectionIn
        )

    def perform_create(self, values: dict[str, Any]) -> Connection:
        return connections.create_connection(actor=self.actor, sandbox=self.sandbox, **values)

    def perform_patch(self, row: Connection, changes: dict[str, Any]) -> Connection:
        return connections.change_connection(actor=self.actor, connection=row, **changes)

    def perform_delete(self, row: Connection) -> None:
        connections.delete_connection(actor=self.actor, connection=row)

    @extend_schema(request=None, responses=TestOut)
    @action(methods=["post"], detail=True)
    def test(self, request: Request, pk: str) -> Response:
        """Try a connection now; refused with what the source said if it does not work."""
        found = connections.test_connection(actor=self.actor, connection=self.get_object())
        return Response(TestOut({"result": found}).data)

    @extend_schema(parameters=[ExploreQuery], responses=ExploreOut)
    @action(methods=["get"], detail=True)
    def explore(self, request: Request, pk: str) -> Response:
        """List what there is to read: schemas, tables, folders, files."""
        query = ExploreQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        found = sourcing.explore(self.get_object(), query.validated_data["path"])
        return Response(ExploreOut({"results": found}).data)

    @extend_schema(request=SelectionIn, responses=SampleOut)
    @action(methods=["post"], detail=True)
    def preview(self, request: Request, pk: str) -> Response:
        """Read columns and the first hundred rows of a table or file."""
        sample = sourcing.preview(self.get_object(), self.checked()["selection"])
        return Response(SampleOut(asdict(sample)).data)


class FlowViewSet(ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet):
    """What is read from a connection, how it is mapped, where it goes, and when."""

    noun = "flow"
    permissions = _READ_AND_MANAGE
    serializer_class = FlowOut
    filterset_fields = ("name", "connection_id", "dataset_id", "state")
    ordering_fields = ("name", "updated_at")

    def get_queryset(self) -> QuerySet[Flow]:
        return selectors.list_flows(self.sandbox)

    def get_input_class(self) -> Any:
        return {"partial_update": FlowPatch, "run": RunIn}.get(self.action or "", FlowIn)

    def perform_create(self, values: dict[str, Any]) -> Flow:
        values["dataset"] = selectors.get_dataset(self.sandbox, values.pop("dataset_id"))
        return flows.create_flow(actor=self.actor, sandbox=self.sandbox, **self._with_rows(values))

    def perform_patch(self, row: Flow, changes: dict[str, Any]) -> Flow:
        return flows.change_flow(actor=self.actor, flow=row, **self._with_rows(changes))

    def perform_delete(self, row: Flow) -> None:
        flows.delete_flow(actor=self.actor, flow=row)

    @extend_schema(request=None, responses=FlowOut)
    @action(methods=["post"], detail=True)
    def enable(self, request: Request, pk: str) -> Response:
        """Let a flow run by its schedule."""
        row = self.get_locked_object()
        return self.shown(flows.change_flow(actor=self.actor, flow=row, state=FlowState.ENABLED))

    @extend_schema(request=None, responses=FlowOut)
    @action(methods=["post"], detail=True)
    def disable(self, request: Request, pk: str) -> Response:
        """Pause a flow; a run that is under way goes on."""
        row = self.get_locked_object()
        return self.shown(flows.change_flow(actor=self.actor, flow=row, state=FlowState.DISABLED))

    @extend_schema(request=RunIn, responses={202: FlowRunOut})
    @action(methods=["post"], detail=True)
    def run(self, request: Request, pk: str) -> Response:
        """Run a flow now: everything new, or a window of time once more.

        A window does not move the mark up to which the flow has read.
        """
        run = flows.run_now(actor=self.actor, flow=self.get_object(), **self.checked())
        return Response(FlowRunOut(run).data, status=202)

    @extend_schema(responses=FlowRunOut(many=True))
    @action(methods=["get"], detail=True)
    def runs(self, request: Request, pk: str) -> Response:
        """List a flow's runs, newest first."""
        rows = selectors.list_flow_runs(self.sandbox).filter(flow=self.get_object())
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(FlowRunOut(page, many=True).data)

    def _with_rows(self, values: dict[str, Any]) -> dict[str, Any]:
        if "connection_id" in values:
            values["connection"] = selectors.get_connection(
                self.sandbox, values.pop("connection_id")
            )
        if "mapping_set_id" in values:
            key = values.pop("mapping_set_id")
            values["mapping_set"] = selectors.get_mapping_set(self.sandbox, key) if key else None
        return values


class FlowRunViewSet(InputMixin, ListMixin, RetrieveMixin, SandboxViewSet):
    """Runs of flows."""

    noun = "flow run"
    permissions = _READ_AND_MANAGE
    serializer_class = FlowRunOut
    filterset_fields = ("flow_id", "state", "trigger")

    def get_queryset(self) -> QuerySet[FlowRun]:
        return selectors.list_flow_runs(self.sandbox)

    @extend_schema(request=None, responses=FlowRunOut)
    @action(methods=["post"], detail=True)
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop a run that still reads its source; nothing of it is kept."""
        return Response(FlowRunOut(flows.cancel_run(actor=self.actor, run=self.get_object())).data)
