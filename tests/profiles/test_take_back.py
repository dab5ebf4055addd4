import pytest

from cdp import queue
from cdp.clickhouse import client
from cdp.tenancy.scope import scope
from profiles.models import EventKey, Fragment, IngestBatch, Profile
from profiles.models import Identity as IdentityRow
from profiles.selectors.agreement import differences
from tests.profiles.world import ECIDS, ME, event, fates, make_dataset, make_namespace, send

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]
LAPTOP, PHONE = ECIDS["laptop"], ECIDS["phone"]


@pytest.fixture
def web(sandbox):
    make_namespace(sandbox)
    return make_dataset(sandbox, "Web", events=True)


@pytest.fixture
def crm(sandbox, web):
    return make_dataset(sandbox, "CRM", events=False, identities=[("_luma.crmId", "CRM", True)])


def revert(sandbox, dataset, batch):
    with scope(sandbox, ME):
        queue.publish("batches.reverted", {"batch": batch, "dataset": dataset.pk}, sandbox=sandbox)
    queue.drain(["batches.reverted", "profiles.emptied", "batches.decided"])


def owners(sandbox):
    with scope(sandbox, ME):
        rows = IdentityRow.objects.for_sandbox(sandbox).values_list("value", "profile_id")
        return dict(rows)


def events(sandbox):
    rows = client.fetch_text(
        "SELECT event_id FROM events WHERE sandbox_id = {sandbox:UInt32} ORDER BY event_id",
        sandbox=sandbox,
        budget=client.LOOKUP,
    )
    return [key for (key,) in rows]


def test_a_reverted_batch_leaves_what_was_there_before(sandbox, web, crm):
    send(sandbox, web, [event("1", ECID=LAPTOP), event("2", ECID=PHONE)])
    before = owners(sandbox)
    send(sandbox, web, [event("3", ECID=LAPTOP, CRM="c-1")], batch_id="bat_1")
    send(sandbox, web, [event("4", ECID=PHONE, CRM="c-1")], batch_id="bat_1")
    send(sandbox, crm, [{"_luma": {"crmId": "c-1", "tier": "gold"}}], batch_id="bat_1")
    assert len(set(owners(sandbox).values())) == 1

    revert(sandbox, web, "bat_1")
    revert(sandbox, crm, "bat_1")

    assert owners(sandbox) == before
    assert events(sandbox) == ["1", "2"]
    assert list(differences(sandbox)) == []
    with scope(sandbox, ME):
        assert not Fragment.objects.for_sandbox(sandbox).exists()
        assert EventKey.objects.for_sandbox(sandbox).count() == 2
        assert IngestBatch.objects.for_sandbox(sandbox).count() == 0
    assert fates(sandbox, send(sandbox, web, [event("3", ECID=LAPTOP)])) == "s"


def test_what_others_have_seen_too_stays(sandbox, web):
    send(sandbox, web, [event("1", ECID=LAPTOP, CRM="c-1")], batch_id="bat_1")
    send(sandbox, web, [event("2", ECID=LAPTOP, CRM="c-1")])

    revert(sandbox, web, "bat_1")

    assert len(set(owners(sandbox).values())) == 1
    assert events(sandbox) == ["2"]


def test_a_profile_of_which_nothing_is_left_goes(sandbox, web):
    send(sandbox, web, [event("1", ECID=LAPTOP)], batch_id="bat_1")

    revert(sandbox, web, "bat_1")

    assert owners(sandbox) == {}
    with scope(sandbox, ME):
        assert not Profile.objects.for_sandbox(sandbox).exists()
