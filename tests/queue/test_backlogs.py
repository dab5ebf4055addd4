from datetime import timedelta

import pytest

from cdp.queue import Message, backlog, backlogs, oldest_age, publish_many
from cdp.queue.backlogs import sandbox_states, topic_states
from cdp.queue.taking import take
from cdp.tenancy.scope import scope


@pytest.fixture
def topic(sandbox, other_sandbox, actor, subscribed, clock):
    """A topic with rows of two sandboxes: waiting, claimed, resting and buried."""
    subscription = subscribed(batch=1)
    for each, number in ((sandbox, 3), (other_sandbox, 1)):
        with scope(each, actor):
            messages = [Message({}, count=10)] * number
            publish_many(subscription.topic, messages, sandbox=each)
    clock.move(seconds=5)
    claim = take(subscription, sandbox.pk)
    buried = take(subscription, sandbox.pk)
    with scope(sandbox, actor):
        buried.bury(buried.items, "broken")
        later = Message({}, count=7, available_at=clock.now + timedelta(hours=1))
        publish_many(subscription.topic, [later], sandbox=sandbox)
    assert claim
    return subscription.topic


def test_backlog_counts_records_of_the_sandbox_that_are_not_done(sandbox, actor, topic):
    with scope(sandbox, actor):
        assert backlog(sandbox, topic) == 27


def test_a_backlog_that_took_long_to_count_holds_for_a_while(sandbox, actor, topic, monkeypatch):
    monkeypatch.setattr(backlogs, "QUICK", 0)
    monkeypatch.setattr(backlogs, "HOLDS", 1_000_000)
    with scope(sandbox, actor):
        first = backlog(sandbox, topic)
        publish_many(topic, [Message({})], sandbox=sandbox)
        second = backlog(sandbox, topic)
        backlogs._held.clear()
        third = backlog(sandbox, topic)

    assert (first, second, third) == (27, 27, 28)


def test_states_of_a_sandbox_are_its_own(other_sandbox, actor, topic, clock):
    with scope(other_sandbox, actor):
        (state,) = sandbox_states(other_sandbox)

    assert (state.topic, state.records, state.rows, state.buried) == (topic, 10, 1, 0)
    assert state.oldest_age == timedelta(seconds=5)


def test_states_of_topics_cover_all_sandboxes(topic):
    state = next(state for state in topic_states() if state.topic == topic)

    assert (state.records, state.rows, state.later, state.buried) == (37, 4, 1, 1)


def test_the_oldest_age_is_that_of_work_that_could_be_done(sandbox, actor, topic, clock):
    clock.move(seconds=10)

    with scope(sandbox, actor):
        ages = oldest_age(topic, sandbox), oldest_age("no.such.topic", sandbox)

    assert ages == (timedelta(seconds=15), timedelta(0))
    assert oldest_age(topic) == timedelta(seconds=15)
