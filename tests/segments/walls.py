"""One object for each route of segments."""

from cdp.tenancy.models import Sandbox
from segments.services.compositions import create_composition
from segments.services.evaluations import request_evaluation
from segments.services.lifecycle import create_segment
from segments.services.schedules import create_schedule
from segments.services.uploads import create_upload
from tests.datasets.making import make_dataset
from tests.factories import ACTOR
from tests.walls import names

RULE = {
    "type": "events",
    "where": {
        "type": "compare",
        "operator": "=",
        "left": {"field": "eventType"},
        "right": "commerce.purchases",
    },
}


@names("/api/v1/segments/{pk}")
def segment(sandbox: Sandbox) -> dict[str, str]:
    make_dataset(sandbox, name="What segments ask about")
    return {"pk": create_segment(actor=ACTOR, sandbox=sandbox, name="Walled", rule=RULE).pk}


@names("/api/v1/segment-jobs/{pk}")
def segment_job(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": str(request_evaluation(actor=ACTOR, sandbox=sandbox).pk)}


@names("/api/v1/segment-schedules/{pk}")
def segment_schedule(sandbox: Sandbox) -> dict[str, str]:
    made = create_schedule(
        actor=ACTOR, sandbox=sandbox, name="Nightly", schedule={"cron": "0 1 * * *"}
    )
    return {"pk": made.pk}


@names("/api/v1/compositions/{pk}")
def composition(sandbox: Sandbox) -> dict[str, str]:
    definition = {"of": {"type": "rule", "text": "true"}}
    made = create_composition(
        actor=ACTOR, sandbox=sandbox, name="Walled composition", definition=definition
    )
    return {"pk": made.pk}


@names("/api/v1/segment-uploads/{pk}")
def segment_upload(sandbox: Sandbox) -> dict[str, str]:
    columns = [{"column": "email", "namespace": "Email"}]
    made = create_upload(actor=ACTOR, sandbox=sandbox, name="Walled upload", identities=columns)
    return {"pk": made.pk}
