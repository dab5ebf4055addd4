"""One object for each route of jobs."""

from cdp.jobs import kinds, services
from cdp.tenancy.models import Sandbox
from tests.factories import ACTOR
from tests.walls import names


@names("/api/v1/jobs/{pk}")
def job(sandbox: Sandbox) -> dict[str, str]:
    kinds._kinds.setdefault("tests.walls", lambda handle: None)
    made = services.start("tests.walls", sandbox=sandbox, actor=ACTOR, params={})
    return {"pk": made.pk}
