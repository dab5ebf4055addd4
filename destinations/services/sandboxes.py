"""What becomes of a sandbox's destinations when it is reset or counted."""

from collections.abc import Mapping

from cdp.tenancy.base import SandboxModel
from cdp.tenancy.models import Sandbox
from destinations.models import Activation, ActivationRun, Delivery, DestinationConnection


def forget_destinations(sandbox: Sandbox) -> None:
    """Remove connections, activations and all that was sent; files outside stay."""
    for model in (Delivery, ActivationRun, Activation, DestinationConnection):
        model.objects.for_sandbox(sandbox).delete()


def count_destinations(sandbox: Sandbox) -> Mapping[str, int]:
    """Return how many rows of each kind the sandbox has."""
    counted: dict[str, type[SandboxModel]] = {
        "destination_connections": DestinationConnection,
        "activations": Activation,
        "deliveries": Delivery,
    }
    return {name: model.objects.for_sandbox(sandbox).count() for name, model in counted.items()}
