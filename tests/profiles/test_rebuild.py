from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from cdp import queue
from cdp.clickhouse import client
from cdp.datasets.services.writing import write_records
from cdp.datasets.stored import read_stats
from cdp.tenancy.scope import scope
from profiles.identity.rules import Setting
from profiles.ingest import worker
from profiles.ingest.batches import finish_open
from profiles.models import IngestBatch, Profile
from profiles.selectors import agreement
from profiles.selectors.agreement import differences
from profiles.services import rebuilding
from profiles.services.identity_settings import set_identity_settings
from profiles.services.merge_policies import create_merge_policy
from profiles.services.sandboxes import copy_profiles
from tests.profiles.world import ECIDS, ME, event, fates, make_dataset, make_namespace, send

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


def test_whoever_is_there_already_follows_rules_that_are_copied(sandbox, other_sandbox):
    for place in (sandbox, other_sandbox):
        make_namespace(place)
    first, second = (
        make_dataset(other_sandbox, name, events=False, identities=[("_luma.crmId", "CRM", True)])
        for name in ("First", "Second")
    )
    for dataset, tier in ((first, "gold"), (second, "none")):
        send(other_sandbox, dataset, [{"_luma": {"crmId": "c-1", "tier": tier}}])
    web = make_dataset(other_sandbox, "Web", events=True)
    both = [event(f"{n}", ECID=ECIDS["laptop"], CRM=f"c-{n}") for n in (1, 2)]
    send(other_sandbox, web, both)
    origin = make_dataset(sandbox, "First", events=False)
    with scope(sandbox, ME):
        set_identity_settings(actor=ME, sandbox=sandbox, settings=[Setting("CRM", 1, True)])
        create_merge_policy(
            actor=ME,
            sandbox=sandbox,
            name="First first",
            attributes="dataSetPrecedence",
            datasets=[origin.pk],
            is_default=True,
        )

    copy_profiles(sandbox, other_sandbox)
    queue.drain(["graphs.outdated", "snapshots.outdated", "batches.decided"])

    with scope(other_sandbox, ME):
        assert Profile.objects.for_sandbox(other_sandbox).filter(vanished=False).count() == 2
    assert list(differences(other_sandbox)) == []


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


def put(sandbox, profiles, version=1):
    """Put made up snapshots into the event store."""
    rows = [
        {"profile_id": one, "version": version, "deleted": 0, "body": {"a": 1}} for one in profiles
    ]
    client.insert("profiles", rows, sandbox=sandbox, token=f"made up {profiles}")


def stored(sandbox):
    return agreement.stored_numbers(sandbox, 0, 1_000)


@pytest.mark.parametrize("size", [2, 3, 1_000])
def test_snapshots_of_nobody_are_found_and_removed_slice_by_slice(
    sandbox, people, monkeypatch, size
):
    monkeypatch.setattr(agreement, "SLICE", size)
    monkeypatch.setattr(rebuilding, "SLICE", size)
    there = stored(sandbox)
    between, behind = range(1, 4), range(there[-1] + 1, there[-1] + 8)
    nobodys = [one for one in (*between, *behind) if one not in there]
    put(sandbox, nobodys)

    sentences = list(differences(sandbox))
    run(sandbox)

    assert len(sentences) == len(nobodys)
    assert all("there is no such profile" in sentence for sentence in sentences)
    assert stored(sandbox) == there
    assert list(differences(sandbox)) == []


def test_a_profile_that_is_made_while_the_stores_are_compared_is_no_difference(
    sandbox, people, monkeypatch
):
    web = make_dataset(sandbox, "Shop", events=True)
    read = agreement._stored

    def read_late(*args, **params):
        monkeypatch.setattr(agreement, "_stored", read)
        send(sandbox, web, [event("9", ECID=ECIDS["tablet"])])
        return read(*args, **params)

    monkeypatch.setattr(agreement, "_stored", read_late)

    assert list(differences(sandbox)) == []
    assert len(stored(sandbox)) == 5


def test_a_profile_that_is_made_during_a_rebuild_keeps_its_snapshot(sandbox, people, monkeypatch):
    web = make_dataset(sandbox, "Shop", events=True)
    made = []

    def finish_and_write(*args):
        finish_open(*args)
        if not made:
            made.append(send(sandbox, web, [event("9", ECID=ECIDS["tablet"])]))

    monkeypatch.setattr(
        "profiles.management.commands.rebuild_snapshots.finish_open", finish_and_write
    )

    assert "Every snapshot says" in run(sandbox)
    assert len(stored(sandbox)) == 5


def test_news_on_their_way_are_waited_for(sandbox, people, monkeypatch):
    put(sandbox, [10**9])
    with scope(sandbox, ME):
        rebuilding.forget_slice(sandbox, 0)
    assert len(stored(sandbox)) == 5
    monkeypatch.setattr(agreement, "sleep", lambda _: finish_open(sandbox))

    assert list(differences(sandbox)) == []


def test_news_that_do_not_come_are_a_difference(sandbox, people, monkeypatch):
    put(sandbox, [10**9])
    with scope(sandbox, ME):
        rebuilding.forget_slice(sandbox, 0)
    monkeypatch.setattr(agreement, "PATIENCE", timedelta(milliseconds=100))

    (sentence,) = differences(sandbox)

    assert "a batch that stays open" in sentence


def test_a_rebuild_that_was_killed_is_finished_by_the_next(sandbox, people, monkeypatch):
    monkeypatch.setattr(rebuilding, "SLICE", 2)
    put(sandbox, [10**9])

    def die(_):
        raise KeyboardInterrupt

    command = "profiles.management.commands.rebuild_snapshots.finish_open"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(command, die)
        run(sandbox)
    with scope(sandbox, ME):
        assert IngestBatch.objects.for_sandbox(sandbox).count() == 1

    assert "Every snapshot says" in run(sandbox)
    with scope(sandbox, ME):
        assert IngestBatch.objects.for_sandbox(sandbox).count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_rebuild_finishes_a_batch_of_records_and_they_are_stored_once(
    sandbox, people, monkeypatch
):
    """A worker's batch may be finished by others; its rows are let go of by who claimed them."""
    shop = make_dataset(
        sandbox, "Shop", events=False, identities=[("personalEmail.address", "Email", True)]
    )
    finish, tried = worker.finish_batch, []

    def finish_second(*args):
        if not tried:
            tried.append(run(sandbox))
        finish(*args)

    monkeypatch.setattr(worker, "finish_batch", finish_second)

    with scope(sandbox, ME):
        records = [{"personalEmail": {"address": "1@x"}}]
        receipt = write_records(sandbox=sandbox, dataset=shop, records=records)
    queue.drain(["records.received"], forgiving=True)
    with scope(sandbox, ME):
        queue.models.QueueItem.objects.for_sandbox(sandbox).update(available_at="2020-01-01T00:00Z")
    queue.drain(["records.received"])

    assert len(tried) == 1
    assert fates(sandbox, receipt) == "s"
    assert read_stats(shop).rows == 1
    with scope(sandbox, ME):
        assert IngestBatch.objects.for_sandbox(sandbox).count() == 0
