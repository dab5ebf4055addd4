"""Routes of destinations."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.catalogues import CataloguePagination
from cdp.api.mixins import CreateMixin, DeleteMixin, ListMixin, PatchMixin, RetrieveMixin
from cdp.api.serializers import StrictSerializer
from cdp.api.views import SandboxViewSet
from destinations import selectors
from destinations.api.filters import ActivationFilter, DeliveryFilter
from destinations.api.serializers import (
    ActivationIn,
    ActivationOut,
    ActivationPatch,
    ConnectionIn,
    ConnectionOut,
    ConnectionPatch,
    ConnectionTestOut,
    DeliveryOut,
    DestinationTypeOut,
    NewConnectionOut,
    RunOut,
)
from destinations.connectors.base import Connector
from destinations.connectors.registry import get_connector, list_connectors
from destinations.models import Activation, DestinationConnection
from destinations.services import activations, connections

READ: Final = "view-destinations"


class TypePagination(CataloguePagination):
    """Pages over the kinds of destination."""

    key = "kind"


class DestinationTypeViewSet(ListMixin, RetrieveMixin, SandboxViewSet):
    """The kinds of destination that this installation can send to."""

    noun = "destination type"
    permissions = {"*": READ}
    serializer_class = DestinationTypeOut
    pagination_class = TypePagination
    filter_backends = ()
    lookup_field = "kind"

    def get_queryset(self) -> Any:
        return list_connectors()

    def get_object(self) -> type[Connector]:
        return get_connector(self.kwargs["kind"])


class DestinationConnectionViewSet(
    ListMixin, RetrieveMixin, PatchMixin, DeleteMixin, SandboxViewSet
):
    """Places that segments are sent to."""

    noun = "destination connection"
    permissions = {"list": READ, "retrieve": READ, "*": "manage-destinations"}
    serializer_class = ConnectionOut
    filterset_fields = ("name", "kind", "state")
    ordering_fields = ("name", "created_at")

    def get_queryset(self) -> Any:
        return selectors.list_connections(self.sandbox)

    def get_input_class(self) -> type[StrictSerializer]:
        return ConnectionPatch if self.action == "partial_update" else ConnectionIn

    @extend_schema(request=ConnectionIn, responses={201: NewConnectionOut})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a connection; secrets that are made for it are in the answer, only this once."""
        connection, made = connections.create_connection(
            sandbox=self.sandbox, actor=self.actor, **self.checked()
        )
        return self.created(connection, made_secrets=made)

    def perform_patch(
        self, row: DestinationConnection, changes: dict[str, Any]
    ) -> DestinationConnection:
        return connections.change_connection(actor=self.actor, connection=row, **changes)

    def perform_delete(self, row: DestinationConnection) -> None:
        connections.delete_connection(actor=self.actor, connection=row)

    @extend_schema(
        summary="Test a destination connection", request=None, responses=ConnectionTestOut
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Try the destination now; 409 says what is wrong with it."""
        return Response({"detail": connections.try_connection(self.get_object())})


class ActivationViewSet(
    ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet
):
    """Segments that are sent to connections."""

    noun = "activation"
    permissions = {
        "list": READ,
        "retrieve": READ,
        "runs": READ,
        "deliveries": READ,
        "*": "activate-segments",
    }
    serializer_class = ActivationOut
    filterset_class = ActivationFilter

    def get_queryset(self) -> Any:
        return selectors.list_activations(self.sandbox)

    def get_input_class(self) -> type[StrictSerializer]:
        return ActivationPatch if self.action == "partial_update" else ActivationIn

    def perform_create(self, values: dict[str, Any]) -> Activation:
        return activations.create_activation(sandbox=self.sandbox, actor=self.actor, **values)

    def perform_patch(self, row: Activation, changes: dict[str, Any]) -> Activation:
        return activations.change_activation(actor=self.actor, activation=row, **changes)

    def perform_delete(self, row: Activation) -> None:
        activations.delete_activation(actor=self.actor, activation=row)


class _PartOfActivation(ListMixin, SandboxViewSet):
    """A list below one activation."""

    permissions = {"*": READ}

    def activation(self) -> Activation:
        """Return the activation that the route names. Raises `NotFound`."""
        return selectors.get_activation(self.sandbox, self.kwargs["activation_id"])


class RunViewSet(_PartOfActivation):
    """The windows of an activation's deliveries."""

    noun = "run"
    serializer_class = RunOut

    def get_queryset(self) -> Any:
        return selectors.list_runs(self.activation())


class DeliveryViewSet(_PartOfActivation):
    """An activation's deliveries, one for each change of a profile."""

    noun = "delivery"
    serializer_class = DeliveryOut
    filterset_class = DeliveryFilter

    def get_queryset(self) -> Any:
        return selectors.list_deliveries(self.activation())
