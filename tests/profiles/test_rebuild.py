from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from cdp.clickhouse import client
from profiles.selectors.agreement import differences
from tests.profiles.world import ECIDS, event, make_dataset, make_namespace, send

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]


@pytest.fixture
def people(sandbox):
    make_namespace(sandbox)
    crm = make_dataset(
        sandbox,
        "CRM",
        events=False,
        identities=[("_luma.crmId", "CRM", True), ("personalEmail.address", "Email", False)],
    )
    web = make_dataset(sandbox, "Web", events=True)
    rows = [
        {
            "_luma": {"crmId": f"c-{n}", "points": float(n), "interests": []},
            "personalEmail": {"address": f"{n}@x"},
            "person": {"gender": "2026-01-01"},
        }
        for n in range(3)
    ]
    send(sandbox, crm, rows)
    send(sandbox, web, [event("1", ECID=ECIDS["laptop"]), event("2", ECID=ECIDS["phone"])])
    send(sandbox, web, [event("3", ECID=ECIDS["laptop"], CRM="c-1")])


def run(sandbox, *options):
    out = StringIO()
    call_command("rebuild_snapshots", *options, organization=sandbox.organization_id, stdout=out)
    return out.getvalue()


def test_snapshots_follow_what_is_ingested(sandbox, people):
    assert list(differences(sandbox)) == []
    assert "Every snapshot says" in run(sandbox, "--check")


def test_snapshots_that_are_lost_wrong_or_left_over_are_found_and_rebuilt(sandbox, people):
    rows = client.fetch_text(
        "SELECT profile_id FROM profiles FINAL WHERE sandbox_id = {sandbox:UInt32} ORDER BY 1",
        sandbox=sandbox,
        budget=client.LOOKUP,
    )
    lost, wrong, extra = rows[0][0], rows[1][0], rows[-1][0] + 1_000
    made_up = [
        {"profile_id": lost, "version": 10**6, "deleted": 1, "body": {}},
        {"profile_id": wrong, "version": 1, "deleted": 0, "body": {"person": {"gender": "?"}}},
        {"profile_id": extra, "version": 1, "deleted": 0, "body": {"a": 1}},
    ]
    client.execute(
        "ALTER TABLE profiles DELETE WHERE sandbox_id = {sandbox:UInt32} AND profile_id IN {gone:Array(UInt64)}",
        sandbox=sandbox,
        params={"gone": [lost, wrong]},
    )
    client.insert("profiles", made_up[1:], sandbox=sandbox, token="made up")

    with pytest.raises(CommandError, match="3 snapshots disagree"):
        run(sandbox, "--check")
    assert "rebuilt" in run(sandbox)

    assert list(differences(sandbox)) == []
