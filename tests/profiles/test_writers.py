"""Ten writers stitch overlapping identities at once."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime

import pytest
from django.db import connections
from django.db.models import F

from cdp.clickhouse import client
from cdp.datasets.models import Receipt
from cdp.datasets.services.writing import write_records
from cdp.datasets.topics import RECORDS_RECEIVED
from cdp.queue import subscriptions
from cdp.queue.models import QueueItem
from cdp.queue.taking import take
from cdp.queue.working import handle
from cdp.tenancy.scope import scope
from profiles.identity.rules import Identity, Setting, make_rules
from profiles.models import Identity as IdentityRow
from profiles.models import IdentitySettings, IngestBatch
from tests.profiles.stitching import NAMESPACES, whole
from tests.profiles.test_stitch import assert_whole, stored_graphs
from tests.profiles.world import ME, event, make_dataset, make_namespace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
WRITERS, REQUESTS, PEOPLE = 10, 6, 8
OWNERS = """
SELECT e.event_id, if(o.profile_id != 0, o.profile_id, e.profile_id) AS owner, e.identity_id
FROM events AS e
LEFT JOIN (
    SELECT identity_id, profile_id FROM profile_overrides FINAL
    WHERE sandbox_id = {sandbox:UInt32}
) AS o ON o.identity_id = e.identity_id
WHERE e.sandbox_id = {sandbox:UInt32}
"""


def history(seed):
    """Events of few people on few devices, so that writers meet again and again."""
    chance = random.Random(seed)
    for n in range(40):
        who = chance.randrange(PEOPLE)
        named = {"ECID": str(chance.randrange(1, 3 * PEOPLE)).zfill(38)}
        if chance.random() < 0.6:
            named["CRM"] = f"c-{who}"
        if chance.random() < 0.3:
            named["Email"] = f"{who // 2}@luma.com"
        at = f"2026-11-0{1 + n % 9}T{n // 9 % 24:02}:{seed:02}:00Z"
        yield event(f"{seed}-{n}", at=at, **named)


def test_no_deadlock_no_orphan_and_the_graphs_of_all_that_was_sent(sandbox):
    make_namespace(sandbox)
    settings = [Setting("CRM", 1, unique=True), Setting("Email", 2)]
    with scope(sandbox, ME):
        IdentitySettings.objects.create(sandbox=sandbox, rules=[asdict(one) for one in settings])
    web = make_dataset(sandbox, "Web", events=True)
    sent = {seed: list(history(seed)) for seed in range(WRITERS * REQUESTS)}
    subscription = subscriptions.find_subscription(RECORDS_RECEIVED)
    failures = []

    def write(writer):
        try:
            for request in range(REQUESTS):
                with scope(sandbox, ME):
                    records = sent[writer * REQUESTS + request]
                    write_records(sandbox=sandbox, dataset=web, records=records)
                while claim := take(subscription, sandbox.pk):
                    if error := handle(claim):
                        failures.append(error)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(write, range(WRITERS)))
    with scope(sandbox, ME):
        QueueItem.objects.for_sandbox(sandbox).filter(claim=None).update(
            available_at=F("created_at")
        )
    while claim := take(subscription, sandbox.pk):
        assert handle(claim) is None

    expected = whole(
        [
            (
                frozenset(
                    Identity(ns, one["id"]) for ns, own in e["identityMap"].items() for one in own
                ),
                datetime.fromisoformat(e["timestamp"]).timestamp(),
            )
            for events in sent.values()
            for e in events
        ],
        make_rules(NAMESPACES, settings),
    )
    assert failures == []
    with scope(sandbox, ME):
        graphs = stored_graphs(sandbox)
        assert_whole(sandbox)
        owned = dict(IdentityRow.objects.for_sandbox(sandbox).values_list("id", "profile_id"))
        assert Receipt.objects.for_sandbox(sandbox).count() == WRITERS * REQUESTS
        assert IngestBatch.objects.for_sandbox(sandbox).count() == 0
    assert set(graphs.values()) == expected
    assert len(expected) >= PEOPLE
    rows = client.fetch_text(OWNERS, sandbox=sandbox, budget=client.LOOKUP)
    assert sorted(key for key, _, _ in rows) == sorted(
        e["_id"] for own in sent.values() for e in own
    )
    assert all(owner == owned[identity] for _, owner, identity in rows)
