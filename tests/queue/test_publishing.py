from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection
from django.utils import timezone

from cdp.queue import Message, publish, publish_many
from cdp.queue.taking import take
from cdp.tenancy.scope import scope


def test_publish_keeps_everything_it_was_given(sandbox, actor, subscribed, clock):
    subscription = subscribed()
    topic = subscription.topic
    later = clock.now + timedelta(seconds=5)

    with scope(sandbox, actor):
        publish(topic, {"a": [1, "ü"]}, sandbox=sandbox, key="rcp_1", body=b"\x00\xff", count=3)
        publish(topic, {}, sandbox=sandbox, available_at=later)
    clock.move(to=later)
    claim = take(subscription)

    assert claim is not None
    assert claim.sandbox == sandbox
    first, second = claim.items
    assert (first.key, first.payload, first.body) == ("rcp_1", {"a": [1, "ü"]}, b"\x00\xff")
    assert (first.count, first.attempts) == (3, 1)
    assert first.created_at == later - timedelta(seconds=5)
    assert (second.key, second.payload, second.body, second.count) == (None, {}, b"", 1)


def test_publish_many_costs_one_statement(
    sandbox, actor, subscribed, rows, django_assert_num_queries
):
    topic = subscribed().topic

    with scope(sandbox, actor), django_assert_num_queries(1):
        messages = [Message({"n": n}, key=str(n), count=n) for n in range(1, 4)]
        assert publish_many(topic, messages, sandbox=sandbox) == 3

    assert [(row.key, row.payload, row.count) for row in rows(topic)] == [
        ("1", {"n": 1}, 1),
        ("2", {"n": 2}, 2),
        ("3", {"n": 3}, 3),
    ]


def test_publish_many_of_nothing_does_nothing(sandbox, actor, subscribed, rows):
    topic = subscribed().topic

    with scope(sandbox, actor):
        assert publish_many(topic, [], sandbox=sandbox) == 0

    assert rows(topic) == []


@pytest.mark.django_db(transaction=True)
def test_a_row_cannot_be_published_outside_of_the_sandbox(
    sandbox, other_sandbox, actor, subscribed, rows
):
    topic = subscribed().topic

    with pytest.raises(ProgrammingError, match="row-level security"):
        publish(topic, {}, sandbox=sandbox)
    with pytest.raises(ProgrammingError, match="row-level security"), scope(sandbox, actor):
        publish(topic, {}, sandbox=other_sandbox)

    assert rows(topic) == []


def test_what_is_rolled_back_was_never_published(sandbox, actor, subscribed, rows):
    topic = subscribed().topic

    with pytest.raises(ZeroDivisionError), scope(sandbox, actor):
        publish(topic, {}, sandbox=sandbox)
        raise ZeroDivisionError

    assert rows(topic) == []


def test_a_worker_is_woken_when_the_transaction_commits(
    sandbox, actor, subscribed, monkeypatch, django_capture_on_commit_callbacks
):
    topic, woken = subscribed().topic, []
    monkeypatch.setattr("cdp.queue.publishing.wake", woken.append)

    with django_capture_on_commit_callbacks() as callbacks, scope(sandbox, actor):
        publish(topic, {}, sandbox=sandbox)
        publish_many(topic, [Message({})], sandbox=sandbox)
    assert woken == []
    for callback in callbacks:
        callback()

    assert woken == [topic, topic]


def test_a_worker_is_woken_for_a_row_when_its_rest_is_over(
    sandbox, actor, subscribed, monkeypatch, django_capture_on_commit_callbacks
):
    topic, woken = subscribed().topic, []
    monkeypatch.setattr("cdp.queue.publishing.wake", lambda topic: woken.append((topic, 0)))
    monkeypatch.setattr("cdp.queue.publishing.wake_later", lambda *late: woken.append(late))
    later = timezone.now() + timedelta(hours=1)

    with django_capture_on_commit_callbacks(execute=True), scope(sandbox, actor):
        publish(topic, {}, sandbox=sandbox, available_at=later)
        publish_many(topic, [Message({}, available_at=later), Message({})], sandbox=sandbox)

    assert [(name, round(wait, -1)) for name, wait in woken] == [(topic, 3600), (topic, 0)]


def test_the_queue_of_another_sandbox_is_invisible(sandbox, other_sandbox, actor, subscribed):
    topic = subscribed().topic
    count = "SELECT count(*) FROM queue_queueitem WHERE topic = %s"

    with scope(sandbox, actor):
        publish(topic, {}, sandbox=sandbox)
    seen = []
    for opened in (sandbox, other_sandbox):
        with scope(opened, actor), connection.cursor() as cursor:
            cursor.execute(count, [topic])
            seen += cursor.fetchone()
    with connection.cursor() as cursor:
        cursor.execute(count, [topic])
        seen += cursor.fetchone()

    assert seen == [1, 0, 0]
