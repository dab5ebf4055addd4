"""Events leave the store when their time is over, and what rested on them follows."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cdp.datasets.models import Dataset
from cdp.datasets.services.tidying import tidy
from cdp.queue import drain
from cdp.tenancy.scope import scope
from profiles.models import ComputedAttribute
from segments.services.lifecycle import create_segment, publish_segment
from tests.segments.shop import ACTOR, open_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

SARAH, JOHN, GHOST = (f"{name}@luma.example" for name in ("sarah", "john", "ghost"))
BUYERS = {
    "type": "events",
    "where": {
        "type": "compare",
        "operator": "=",
        "left": {"field": "eventType"},
        "right": "commerce.purchases",
    },
}


def look_up(api, sandbox, who):
    answer = api.get("/api/v1/profiles/", {"identity": f"Email:{who}"})
    if answer.status_code == 404:
        return None
    profile = answer.json()
    tenant = profile["attributes"].get(f"_{sandbox.organization.tenant_namespace}", {})
    bought = tenant.get("SystemComputedAttributes", {}).get("bought")
    return bought, [state["status"] for state in profile["segments"].values()]


def test_computed_attributes_and_memberships_follow_when_events_expire(api, sandbox):
    shop = open_shop(sandbox)
    with scope(sandbox, ACTOR):
        ComputedAttribute.objects.create(
            sandbox=sandbox, name="bought", function="count", lookback_length=30,
            lookback_unit="days", state="published",
        )  # fmt: skip
        segment = create_segment(actor=ACTOR, sandbox=sandbox, name="Buyers", rule=BUYERS)
        publish_segment(actor=ACTOR, segment=segment)
    long_ago, lately = timezone.now() - timedelta(days=5), timezone.now() - timedelta(hours=1)
    for who in (SARAH, JOHN):
        shop.person(who, person={"name": {"firstName": who}})
        shop.event(who, "commerce.purchases", at=long_ago, key=f"old {who}")
    shop.event(JOHN, "commerce.purchases", at=lately, key="new")
    shop.event(GHOST, "commerce.purchases", at=long_ago, key="ghost")
    assert [look_up(api, sandbox, who) for who in (SARAH, JOHN, GHOST)] == [
        (1, ["realized"]), (2, ["realized"]), (1, ["realized"]),
    ]  # fmt: skip

    with scope(sandbox, ACTOR):
        Dataset.objects.for_sandbox(sandbox).filter(pk=shop.events.pk).update(retention_days=2)
    tidy()
    drain()

    assert [look_up(api, sandbox, who) for who in (SARAH, JOHN, GHOST)] == [
        (None, ["exited"]), (1, ["realized"]), None,
    ]  # fmt: skip
    members = api.get(f"/api/v1/segments/{segment.pk}/members/").json()["results"]
    john = api.get("/api/v1/profiles/", {"identity": f"Email:{JOHN}"}).json()["id"]
    assert members == [john]
