"""Reads of destinations."""

from django.db.models import QuerySet

from cdp.errors import NotFound
from cdp.tenancy.models import Sandbox
from destinations.models import Activation, ActivationRun, Delivery, DestinationConnection
from segments.models import Segment


def list_connections(sandbox: Sandbox) -> QuerySet[DestinationConnection]:
    """Return the sandbox's connections."""
    rows = DestinationConnection.objects.for_sandbox(sandbox)
    return rows.select_related("sandbox__organization")


def get_connection(sandbox: Sandbox, connection_id: str) -> DestinationConnection:
    """Return a connection. Raises `NotFound`."""
    found = list_connections(sandbox).filter(pk=connection_id).first()
    if found is None:
        raise NotFound(f"There is no destination connection '{connection_id}' here.")
    return found


def list_activations(sandbox: Sandbox) -> QuerySet[Activation]:
    """Return the sandbox's activations with their connections and segments."""
    rows = Activation.objects.for_sandbox(sandbox)
    return rows.select_related(
        "connection", "segment__merge_policy", "segment__composition", "sandbox__organization"
    )


def get_activation(sandbox: Sandbox, activation_id: str) -> Activation:
    """Return an activation. Raises `NotFound`."""
    found = list_activations(sandbox).filter(pk=activation_id).first()
    if found is None:
        raise NotFound(f"There is no activation '{activation_id}' here.")
    return found


def list_runs(activation: Activation) -> QuerySet[ActivationRun]:
    """Return an activation's runs."""
    return ActivationRun.objects.for_sandbox(activation.sandbox_id).filter(activation=activation)


def list_deliveries(activation: Activation) -> QuerySet[Delivery]:
    """Return an activation's deliveries."""
    return Delivery.objects.for_sandbox(activation.sandbox_id).filter(activation=activation)


def list_segment_uses(segment: Segment) -> list[dict[str, str]]:
    """Return the activations of a segment, as what is built on it."""
    rows = list_activations(segment.sandbox).filter(segment=segment).order_by("pk")
    return [{"type": "activation", "id": row.pk, "name": row.connection.name} for row in rows]
