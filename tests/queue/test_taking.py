import threading
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection

from cdp.queue import Message, publish, publish_many
from cdp.queue.taking import is_due, take
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import bypass, organization_scope, scope
from cdp.tenancy.services.organizations import create_sandbox


def put(sandbox, actor, topic, *messages):
    with scope(sandbox, actor):
        publish_many(topic, messages or [Message({})], sandbox=sandbox)


def taken(claim):
    return [item.payload.get("n") for item in claim.items] if claim else None


def test_rows_of_one_sandbox_are_taken_together_oldest_first(sandbox, actor, subscribed):
    subscription = subscribed(batch=3)
    put(sandbox, actor, subscription.topic, *[Message({"n": n}) for n in range(5)])

    claims = [take(subscription) for _ in range(3)]

    assert [taken(claim) for claim in claims] == [[0, 1, 2], [3, 4], None]


def test_a_claim_is_limited_by_records_and_bytes_but_never_empty(sandbox, actor, subscribed):
    subscription = subscribed(records=10, size=1000)
    messages = [
        Message({"n": 0}, count=50),
        Message({"n": 1}, count=6),
        Message({"n": 2}, count=4),
        Message({"n": 3}, body=b"x" * 900),
        Message({"n": 4}, body=b"x" * 100),
        Message({"n": 5}, body=b"x" * 3000),
    ]
    put(sandbox, actor, subscription.topic, *messages)

    claims = [take(subscription) for _ in range(5)]

    assert [taken(claim) for claim in claims] == [[0], [1, 2], [3, 4], [5], None]


def test_a_resting_row_is_not_due_until_its_time(sandbox, actor, subscribed, clock):
    subscription = subscribed()
    later = clock.now + timedelta(minutes=1)
    put(sandbox, actor, subscription.topic, Message({}, available_at=later))

    before = is_due(subscription), take(subscription)
    clock.move(to=later)

    assert before == (False, None)
    assert is_due(subscription)
    assert take(subscription) is not None


def test_a_flooding_sandbox_delays_its_neighbours_by_one_claim(
    sandbox, other_sandbox, other_organization, actor, subscribed
):
    subscription = subscribed(batch=10)
    stranger = Sandbox.objects.get(organization=other_organization)
    put(sandbox, actor, subscription.topic, *[Message({"n": n}) for n in range(1000)])
    put(other_sandbox, actor, subscription.topic, *[Message({"n": n}) for n in range(25)])
    put(stranger, actor, subscription.topic, Message({"n": 0}))

    order = [take(subscription).sandbox.pk for _ in range(8)]

    flood, quiet, single = sandbox.pk, other_sandbox.pk, stranger.pk
    assert sorted(order[:3]) == sorted([flood, quiet, single])
    assert order.count(quiet) == 3
    assert order.count(single) == 1
    assert order.count(flood) == 4


def test_a_sandbox_that_was_just_served_comes_last(sandbox, other_sandbox, actor, subscribed):
    subscription = subscribed(batch=1)
    for each in (sandbox, other_sandbox):
        put(each, actor, subscription.topic, Message({}), Message({}))

    order = [take(subscription).sandbox.pk for _ in range(4)]

    assert order[0] != order[1]
    assert order[:2] == order[2:]


def test_an_exclusive_topic_has_one_claim_a_sandbox(sandbox, other_sandbox, actor, subscribed):
    subscription = subscribed(batch=1, exclusive=True)
    for each in (sandbox, other_sandbox):
        put(each, actor, subscription.topic, Message({}), Message({}))

    first, second, third = (take(subscription) for _ in range(3))
    due_while_busy = is_due(subscription)
    with scope(first.sandbox, actor):
        first.finish()
    fourth = take(subscription)

    assert {first.sandbox.pk, second.sandbox.pk} == {sandbox.pk, other_sandbox.pk}
    assert third is None
    assert not due_while_busy
    assert fourth.sandbox.pk == first.sandbox.pk


def test_rows_of_a_dead_worker_come_back_when_the_lease_ends(sandbox, actor, subscribed, clock):
    subscription = subscribed(lease=timedelta(seconds=15), exclusive=True)
    put(sandbox, actor, subscription.topic, Message({"n": 1}))

    lost = take(subscription)
    clock.move(seconds=14)
    early = take(subscription)
    clock.move(seconds=1)
    again = take(subscription)

    assert early is None
    assert taken(again) == taken(lost) == [1]
    assert (again.items[0].attempts, again.items[0].deaths) == (1, 1)
    assert again.token != lost.token


def test_rows_that_failed_together_are_taken_one_by_one(sandbox, actor, subscribed, clock):
    subscription = subscribed()
    put(sandbox, actor, subscription.topic, *[Message({"n": n}) for n in range(3)])

    sizes = []
    for _ in range(settings.QUEUE_TOGETHER_ATTEMPTS + 1):
        sizes.append(len(take(subscription).items))
        clock.move(seconds=60)

    assert sizes == [3] * settings.QUEUE_TOGETHER_ATTEMPTS + [1]


def test_rows_of_a_deleted_sandbox_are_forgotten(sandbox, actor, subscribed, rows):
    subscription = subscribed()
    put(sandbox, actor, subscription.topic)
    # What a door leaves that published while the sandbox was being deleted.
    with bypass(), connection.cursor() as cursor:
        cursor.execute("UPDATE queue_queueitem SET sandbox_id = 2000000000")

    assert take(subscription) is None
    assert rows(subscription.topic) == []


@pytest.mark.django_db(transaction=True)
def test_many_workers_never_share_a_row_nor_an_exclusive_sandbox(organization, actor, subscribed):
    subscription = subscribed(batch=5, exclusive=True)
    with organization_scope(organization, actor):
        sandboxes = [
            create_sandbox(actor=actor, organization=organization, name=f"s{n}", title="S")
            for n in range(3)
        ]
    for each in sandboxes:
        put(each, actor, subscription.topic, *[Message({"n": n}) for n in range(50)])
    held, seen, shared = set(), [], []
    guard = threading.Lock()

    def work():
        try:
            while len(seen) < 150:
                claim = take(subscription)
                if claim is None:
                    continue
                with guard:
                    shared.append(claim.sandbox.pk in held)
                    held.add(claim.sandbox.pk)
                with scope(claim.sandbox, actor):
                    time.sleep(0.002)
                    claim.finish()
                    with guard:  # nobody may have it before the commit
                        held.discard(claim.sandbox.pk)
                        seen.extend(item.id for item in claim.items)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)

    assert len(seen) == len(set(seen)) == 150
    assert not any(shared)


@pytest.mark.django_db(transaction=True)
def test_a_sandbox_being_claimed_is_passed_over_and_not_waited_for(
    sandbox, other_sandbox, actor, subscribed
):
    subscription = subscribed(exclusive=True)
    for each in (sandbox, other_sandbox):
        put(each, actor, subscription.topic)
    begun, may_end = threading.Event(), threading.Event()

    def slow_worker():
        with bypass():
            assert take(subscription, sandbox.pk) is not None
            begun.set()
            may_end.wait(10)  # its transaction stays open
        connection.close()

    worker = threading.Thread(target=slow_worker)
    worker.start()
    begun.wait(10)
    claim = take(subscription)
    nothing = take(subscription, sandbox.pk)
    may_end.set()
    worker.join(10)

    assert claim.sandbox.pk == other_sandbox.pk
    assert nothing is None


@pytest.mark.django_db(transaction=True)
def test_the_next_row_is_found_by_the_index_among_a_hundred_thousand(sandbox, actor, subscribed):
    subscription = subscribed()
    with scope(sandbox, actor), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO queue_queueitem"
            " (sandbox_id, topic, payload, count, created_at, available_at, attempts, deaths, error)"
            " SELECT %s, %s, '{}', 1, now(), now() + n * interval '1 hour', 0, 0, ''"
            " FROM generate_series(1, 100000) AS n",
            [sandbox.pk, subscription.topic],
        )
        publish(subscription.topic, {"n": 1}, sandbox=sandbox)
    with bypass(), connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) SELECT id FROM queue_queueitem"
            " WHERE topic = %s AND sandbox_id = %s AND buried_at IS NULL AND available_at <= now()"
            " ORDER BY available_at, id LIMIT 500 FOR UPDATE SKIP LOCKED",
            [subscription.topic, sandbox.pk],
        )
        plan = str(cursor.fetchone())

    assert "queue_waiting" in plan
    assert "Seq Scan" not in plan
    assert taken(take(subscription)) == [1]
