"""One object for each route of governance."""

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from governance.services.catalogue import create_label, create_marketing_action
from governance.services.policies import create_policy
from tests.walls import names

ACTOR = Actor.system("tests")


@names("/api/v1/labels/{name}")
def label(sandbox: Sandbox) -> dict[str, str]:
    made = create_label(sandbox=sandbox, actor=ACTOR, name="walled", title="Walled")
    return {"name": made.name}


@names("/api/v1/marketing-actions/{name}")
def marketing_action(sandbox: Sandbox) -> dict[str, str]:
    made = create_marketing_action(sandbox=sandbox, actor=ACTOR, name="walled", title="Walled")
    return {"name": made.name}


@names("/api/v1/policies/{pk}")
def policy(sandbox: Sandbox) -> dict[str, str]:
    made = create_policy(
        sandbox=sandbox,
        actor=ACTOR,
        name="Walled",
        marketing_actions=["analytics"],
        deny={"label": "C8"},
    )
    return {"pk": made.pk}
