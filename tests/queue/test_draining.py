from datetime import timedelta

import pytest

from cdp.queue import Message, drain, publish, publish_many
from cdp.tenancy.scope import scope


def passing_on(actor, to=None):
    """Make a handler that finishes its rows and publishes as many on another topic."""

    def handler(claim):
        with scope(claim.sandbox, actor):
            if to:
                publish_many(
                    to, [Message(item.payload) for item in claim.items], sandbox=claim.sandbox
                )
            claim.finish()

    return handler


def test_drain_follows_the_work_through_all_topics(sandbox, other_sandbox, actor, subscribed, rows):
    last = subscribed(passing_on(actor)).topic
    first = subscribed(passing_on(actor, to=last)).topic
    for each in (sandbox, other_sandbox):
        with scope(each, actor):
            publish(first, {}, sandbox=each)

    assert drain() == 4

    assert rows(first) + rows(last) == []


def test_drain_of_one_topic_once_leaves_the_rest(sandbox, actor, subscribed, rows):
    last = subscribed(passing_on(actor)).topic
    first = subscribed(passing_on(actor, to=last)).topic
    with scope(sandbox, actor):
        publish(first, {}, sandbox=sandbox)

    assert drain([first], until_empty=False) == 1

    assert len(rows(last)) == 1


def test_drain_raises_what_a_handler_raises(sandbox, actor, subscribed, rows):
    topic = subscribed(lambda claim: 1 / 0).topic
    with scope(sandbox, actor):
        publish(topic, {}, sandbox=sandbox)

    with pytest.raises(ZeroDivisionError):
        drain()

    assert [row.error for row in rows(topic)] == ["ZeroDivisionError: division by zero"]


def test_a_forgiving_drain_leaves_failures_to_their_retry(sandbox, actor, subscribed, rows):
    topic = subscribed(lambda claim: 1 / 0).topic
    with scope(sandbox, actor):
        publish(topic, {}, sandbox=sandbox)

    assert drain(forgiving=True) == 1

    assert [row.attempts for row in rows(topic)] == [1]


def test_drain_inside_a_scope_keeps_to_its_sandbox(sandbox, other_sandbox, actor, subscribed, rows):
    topic = subscribed(passing_on(actor)).topic
    for each in (sandbox, other_sandbox):
        with scope(each, actor):
            publish(topic, {}, sandbox=each)

    with scope(sandbox, actor):
        assert drain() == 1

    assert [row.sandbox_id for row in rows(topic)] == [other_sandbox.pk]


def test_drain_leaves_resting_rows(sandbox, actor, subscribed, rows, clock):
    topic = subscribed(passing_on(actor)).topic
    with scope(sandbox, actor):
        publish(topic, {}, sandbox=sandbox, available_at=clock.now + timedelta(seconds=1))

    assert drain() == 0

    assert len(rows(topic)) == 1


def test_drain_of_an_unknown_topic_is_refused(db):
    with pytest.raises(LookupError, match=r"no\.such"):
        drain(["no.such"])
