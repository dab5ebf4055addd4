"""A sandbox is emptied, and set up like another one, over the API."""

import pytest
from django.db import connection

from cdp.clickhouse import sandboxes as event_store
from cdp.datasets.files.storage import Folder
from cdp.datasets.models import Dataset
from cdp.datasets.services.inlets import create_inlet
from cdp.queue import drain
from cdp.schemas.models import Schema
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import bypass, scope
from cdp.tenancy.services.access import create_write_key
from governance.models import Policy
from governance.services.catalogue import create_label
from governance.services.policies import create_policy
from profiles.models import ComputedAttribute, MergePolicy, Namespace, Profile
from segments.models import Segment
from segments.services.lifecycle import create_segment, publish_segment
from tests.architecture import tenant_tables
from tests.destinations.world import activate, make_folder
from tests.factories import api_client
from tests.segments.shop import ACTOR, open_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

URL = "/api/v1/sandboxes/"
# Who did what, and what it cost, outlives what it was done to.
KEPT = {"tenancy_auditevent", "tenancy_usagecounter"}
SARAHS = {
    "type": "compare",
    "operator": "=",
    "left": {"field": "person.name.firstName"},
    "right": "Sarah",
}


def set_up(sandbox):
    """Fill a sandbox with a bit of everything."""
    shop = open_shop(sandbox)
    with scope(sandbox, ACTOR):
        create_label(sandbox=sandbox, actor=ACTOR, name="own", title="Own")
        create_policy(
            sandbox=sandbox, actor=ACTOR, name="Own", marketing_actions=["analytics"],
            deny={"label": "own"},
        )  # fmt: skip
        Namespace.objects.create(
            sandbox=sandbox, code="CRM", code_key="crm", name="CRM", type="Cross_device"
        )
        policy = MergePolicy.objects.create(
            sandbox=sandbox, name="Shop first", attributes="dataSetPrecedence",
            datasets=[shop.people.pk],
        )  # fmt: skip
        ComputedAttribute.objects.create(
            sandbox=sandbox, name="visits", function="count", lookback_length=1,
            lookback_unit="days", state="published",
        )  # fmt: skip
        first = create_segment(actor=ACTOR, sandbox=sandbox, name="Sarahs", rule=SARAHS)
        publish_segment(actor=ACTOR, segment=first)
        second = create_segment(
            actor=ACTOR, sandbox=sandbox, name="Sarahs again", merge_policy_id=policy.pk,
            rule={"type": "segment", "id": first.pk},
        )  # fmt: skip
        inlet = create_inlet(
            actor=ACTOR, sandbox=sandbox, name="Door", door="xdm", datasets=[shop.people],
            requires_key=False,
        )  # fmt: skip
        create_write_key(actor=ACTOR, sandbox=sandbox, inlet_id=inlet.pk, name="Key")
        with Folder(sandbox, "batches", "bat_1").writing("file") as file:
            file.write(b"uploaded")
    activate(make_folder(sandbox), first)
    shop.person("sarah@luma.example", person={"name": {"firstName": "Sarah"}})
    shop.event("sarah@luma.example", "commerce.purchases", key="bought")
    drain()
    return first, second


def rows_of(sandbox):
    """Count a sandbox's rows in every table of both stores."""
    counts = {}
    with bypass(), connection.cursor() as cursor:
        for table, columns in tenant_tables().items():
            if "sandbox_id" in columns and table not in KEPT:
                cursor.execute(f"SELECT count(*) FROM {table} WHERE sandbox_id = %s", [sandbox.pk])
                counts[table] = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM tenancy_writekey WHERE sandbox_id = %s", [sandbox.pk])
        counts["tenancy_writekey"] = cursor.fetchone()[0]
    return {name: n for name, n in (counts | event_store.count_rows(sandbox)).items() if n}


def run(api, path, **asked):
    answer = api.post(f"{URL}{path}/", asked)
    assert answer.status_code == 202, answer.json()
    drain(["jobs.run"])
    return api.get(f"/api/v1/jobs/{answer.json()['id']}/").json()


def test_a_reset_leaves_nothing_of_the_sandbox_and_everything_of_others(
    api, sandbox, other_sandbox
):
    for place in (sandbox, other_sandbox):
        set_up(place)
    before, others = rows_of(other_sandbox), rows_of(sandbox)
    assert {"profiles_profile", "events", "segments_segment", "datasets_dataset"} <= set(before)

    job = run(api, "dev/reset", confirm="dev")

    assert (job["state"], job["detail"]) == ("succeeded", "")
    assert rows_of(other_sandbox) == {}
    assert not Folder(other_sandbox, "batches", "bat_1").exists("file")
    assert Folder(sandbox, "batches", "bat_1").exists("file")
    after = rows_of(sandbox)
    assert {name: n for name, n in after.items() if n != others.get(name)} == {
        "jobs_job": others.get("jobs_job", 0) + 1
    }
    assert api.get(f"{URL}dev/").json()["state"] == "active"
    set_up(other_sandbox)  # it can be used again
    with scope(other_sandbox, ACTOR):
        assert Profile.objects.for_sandbox(other_sandbox).count() == 1


def test_a_sandbox_is_shut_while_it_is_reset(api, organization, other_sandbox):
    inside = api_client(organization, sandbox="dev")
    api.post(f"{URL}dev/reset/", {"confirm": "dev"})

    refused = inside.get("/api/v1/segments/")

    assert (refused.status_code, refused.json()["code"]) == (409, "sandbox_resetting")
    drain(["jobs.run"])
    assert inside.get("/api/v1/segments/").status_code == 200


@pytest.mark.parametrize(
    ("name", "asked", "status", "code"),
    [
        ("prod", {"confirm": "prod"}, 409, "sandbox_guarded"),
        ("dev", {"confirm": "prod"}, 422, "invalid"),
        ("dev", {}, 422, "invalid"),
        ("nowhere", {"confirm": "nowhere"}, 404, "not_found"),
    ],
)
def test_a_reset_that_is_not_meant_is_refused_and_changes_nothing(
    api, sandbox, other_sandbox, name, asked, status, code
):
    with scope(other_sandbox, ACTOR):
        create_label(sandbox=other_sandbox, actor=ACTOR, name="own", title="Own")

    refused = api.post(f"{URL}{name}/reset/", asked)
    drain(["jobs.run"])

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert rows_of(other_sandbox) == {"governance_label": 1}
    assert set(Sandbox.objects.values_list("state", flat=True)) == {"active"}


def test_resets_and_copies_need_their_permission(organization, other_sandbox):
    stranger = api_client(organization, permissions=["view-sandboxes"])

    for path, asked in (("reset", {"confirm": "dev"}), ("copy", {"into": "prod"})):
        refused = stranger.post(f"{URL}dev/{path}/", asked)
        assert (refused.status_code, refused.json()["permission"]) == (403, "manage-sandboxes")


def test_a_copy_takes_what_is_set_up_and_no_data(api, sandbox, other_sandbox):
    set_up(sandbox)

    jobs = [run(api, "prod/copy", into="dev") for _ in range(2)]

    assert [job["state"] for job in jobs] == ["succeeded", "succeeded"]
    with scope(other_sandbox, ACTOR):
        schemas = Schema.objects.for_sandbox(other_sandbox)
        datasets = Dataset.objects.for_sandbox(other_sandbox)
        segments = {row.name: row for row in Segment.objects.for_sandbox(other_sandbox)}
        policy = MergePolicy.objects.for_sandbox(other_sandbox).get()
        [attribute] = ComputedAttribute.objects.for_sandbox(other_sandbox)
        assert sorted(schemas.values_list("title", flat=True)) == ["Customers", "Web"]
        assert sorted(datasets.values_list("name", flat=True)) == ["Customers", "Web"]
        assert policy.datasets == [datasets.get(name="Customers").pk]
        assert (attribute.name, attribute.state) == ("visits", "draft")
        first, second = segments["Sarahs"], segments["Sarahs again"]
        assert (first.state, second.merge_policy_id) == ("draft", policy.pk)
        assert second.rule["id"] == first.pk
        assert second.references == [first.pk]
        assert Policy.objects.for_sandbox(other_sandbox).get().status == "draft"
        assert Namespace.objects.for_sandbox(other_sandbox).get().code == "CRM"
        publish_segment(actor=ACTOR, segment=first)
    rows = rows_of(other_sandbox)
    assert not {"profiles_profile", "events", "records", "datasets_batch"} & set(rows)


def test_a_copy_goes_into_another_sandbox_that_there_is(api, sandbox, other_sandbox):
    for into in ("prod", "nowhere"):
        refused = api.post(f"{URL}prod/copy/", {"into": into})
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "into")


def test_a_reset_that_is_asked_for_twice_happens_once(api, other_sandbox):
    first = api.post(f"{URL}dev/reset/", {"confirm": "dev"})
    second = api.post(f"{URL}dev/reset/", {"confirm": "dev"})
    drain(["jobs.run"], until_empty=False)

    assert (first.status_code, second.status_code) == (202, 409)
    assert api.get(f"{URL}dev/").json()["state"] == "active"
    with scope(other_sandbox, ACTOR):
        create_label(sandbox=other_sandbox, actor=ACTOR, name="own", title="Own")
    drain(["jobs.run"])
    assert rows_of(other_sandbox) == {"governance_label": 1}


def test_a_dataset_feeds_profiles_in_the_copy_only_if_its_schema_does_there(
    api, sandbox, other_sandbox
):
    open_shop(sandbox)
    run(api, "prod/copy", into="dev")
    with scope(other_sandbox, ACTOR):
        Dataset.objects.for_sandbox(other_sandbox).delete()
        Schema.objects.for_sandbox(other_sandbox).filter(title="Web").update(
            profile_enabled_at=None
        )

    run(api, "prod/copy", into="dev")

    with scope(other_sandbox, ACTOR):
        datasets = Dataset.objects.for_sandbox(other_sandbox)
        assert {row.name: row.profile_enabled for row in datasets} == {
            "Customers": True, "Web": False,
        }  # fmt: skip
