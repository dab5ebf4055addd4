"""One object for each route of destinations."""

from cdp.tenancy.models import Sandbox
from destinations.models import Activation, ActivationRun, Delivery
from tests.destinations.world import activate, make_folder, make_segment
from tests.walls import names, opened_otherwise

opened_otherwise("/api/v1/destination-types/{kind}", "comes with the platform, for everybody")


@names("/api/v1/destination-connections/{pk}")
def connection(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": make_folder(sandbox).pk}


@names("/api/v1/activations/{pk}")
def activation(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": _activation(sandbox).pk}


@names("/api/v1/activations/{activation_id}")
def parts(sandbox: Sandbox) -> dict[str, str]:
    made = _activation(sandbox)
    run = ActivationRun.objects.create(sandbox=sandbox, activation=made, closes_at=made.created_at)
    Delivery.objects.create(
        sandbox=sandbox,
        activation=made,
        run=run,
        profile_id=1,
        change="1",
        entered=True,
        at=made.created_at,
    )
    return {"activation_id": made.pk}


def _activation(sandbox: Sandbox) -> Activation:
    segment = make_segment(sandbox, f"Walled {make_folder(sandbox).pk}")
    return activate(make_folder(sandbox), segment, mapping=[])
