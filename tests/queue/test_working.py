import logging
from datetime import timedelta

import pytest
import structlog
from django.conf import settings
from django.db import OperationalError

from cdp.errors import Invalid, Unavailable
from cdp.queue import LeaseLost, Message, publish_many
from cdp.queue.taking import take
from cdp.queue.working import UNFINISHED, handle, work
from cdp.tenancy.scope import scope


@pytest.fixture
def put(sandbox, actor):
    """Publish rows numbered from 0."""

    def publish_rows(topic, number=1):
        with scope(sandbox, actor):
            publish_many(topic, [Message({"n": n}) for n in range(number)], sandbox=sandbox)

    return publish_rows


def run_until_quiet(subscription, clock, minutes=60):
    """Let workers work, minute by minute, and return how many claims there were."""
    claims = 0
    for _ in range(minutes):
        while claim := take(subscription):
            handle(claim)
            claims += 1
        clock.move(minutes=1)
    return claims


def finishing(actor, fails=lambda item: False, with_error=None):
    """Make a handler that finishes its rows unless one of them is poison; it keeps what it did."""
    done = []

    def handler(claim):
        with scope(claim.sandbox, actor):
            if any(fails(item) for item in claim.items):
                raise with_error or ValueError("poison")
            claim.finish()
        done.extend(item.payload["n"] for item in claim.items)

    handler.done = done
    return handler


def test_a_poison_row_is_put_aside_with_its_reason_and_its_neighbours_go_through(
    actor, subscribed, put, rows, clock
):
    handler = finishing(actor, fails=lambda item: item.payload["n"] == 3)
    subscription = subscribed(handler)
    put(subscription.topic, 6)

    claims = run_until_quiet(subscription, clock)

    assert sorted(handler.done) == [0, 1, 2, 4, 5]
    (left,) = rows(subscription.topic)
    assert left.payload == {"n": 3}
    assert left.buried_at is not None
    assert left.error == "ValueError: poison"
    assert left.attempts == settings.QUEUE_MAX_ATTEMPTS
    together = settings.QUEUE_TOGETHER_ATTEMPTS
    assert claims == together + 5 + settings.QUEUE_MAX_ATTEMPTS - together


def test_pauses_grow_with_each_failure(actor, subscribed, put, rows, clock):
    subscription = subscribed(finishing(actor, fails=lambda item: True))
    put(subscription.topic)

    pauses = []
    for _ in range(5):
        handle(take(subscription))
        (row,) = rows(subscription.topic)
        pauses.append((row.available_at - clock.now).total_seconds())
        clock.move(to=row.available_at)

    for attempt, pause in enumerate(pauses):
        assert 0.75 * 2**attempt <= pause <= 1.25 * 2**attempt


@pytest.mark.parametrize("error", [Unavailable("ClickHouse is away"), OperationalError("gone")])
def test_a_store_that_is_away_is_no_fault_of_the_rows(actor, subscribed, put, rows, clock, error):
    handler = finishing(actor, fails=lambda item: True, with_error=error)
    subscription = subscribed(handler)
    put(subscription.topic, 3)

    for _ in range(50):
        claim = take(subscription)
        assert len(claim.items) == 3  # never taken apart
        handle(claim)
        clock.move(seconds=3)

    assert [(row.attempts, row.buried_at) for row in rows(subscription.topic)] == [(0, None)] * 3
    assert str(error) in rows(subscription.topic)[0].error


def test_a_refusal_is_told_as_the_reason(actor, subscribed, put, rows, clock):
    refusal = Invalid("The mapping names no field.")
    subscription = subscribed(finishing(actor, fails=lambda item: True, with_error=refusal))
    put(subscription.topic)

    run_until_quiet(subscription, clock)

    assert [row.error for row in rows(subscription.topic)] == [
        "Invalid: The mapping names no field."
    ]


def test_a_handler_that_forgets_its_rows_is_told_on(subscribed, put, rows, clock):
    subscription = subscribed(lambda claim: None)
    put(subscription.topic)

    run_until_quiet(subscription, clock)

    assert [(row.error, bool(row.buried_at)) for row in rows(subscription.topic)] == [
        (UNFINISHED, True)
    ]


def test_what_the_handler_sent_back_itself_is_left_as_it_is(actor, subscribed, put, rows, clock):
    def handler(claim):
        with scope(claim.sandbox, actor):
            claim.retry(claim.items, "429", timedelta(seconds=90))

    subscription = subscribed(handler)
    put(subscription.topic)

    handle(take(subscription))

    (row,) = rows(subscription.topic)
    assert (row.error, row.available_at, row.attempts) == (
        "429",
        clock.now + timedelta(seconds=90),
        0,
    )


def test_a_row_that_ends_its_workers_is_put_aside(actor, subscribed, put, rows, clock):
    handler = finishing(actor)
    subscription = subscribed(handler)
    put(subscription.topic)

    for _ in range(settings.QUEUE_MAX_DEATHS):
        assert take(subscription) is not None  # and the worker dies
        clock.move(minutes=1)
    handle(take(subscription))

    assert handler.done == []
    (row,) = rows(subscription.topic)
    assert row.buried_at == clock.now
    assert row.error == f"Its worker died {settings.QUEUE_MAX_DEATHS} times."


def test_rows_sent_back_by_their_handler_stay_together_however_often(
    actor, subscribed, put, rows, clock
):
    def handler(claim):
        with scope(claim.sandbox, actor):
            claim.retry(claim.items, "busy", timedelta(seconds=1))

    subscription = subscribed(handler)
    put(subscription.topic, 3)

    for _ in range(50):
        claim = take(subscription)
        assert len(claim.items) == 3
        handle(claim)
        clock.move(seconds=1)

    assert [(row.attempts, row.deaths, row.buried_at) for row in rows(subscription.topic)] == [
        (0, 0, None)
    ] * 3


def test_a_worker_that_lives_again_clears_a_row_of_deaths(actor, subscribed, put, rows, clock):
    subscription = subscribed(finishing(actor, fails=lambda item: True))
    put(subscription.topic)

    take(subscription)
    clock.move(minutes=1)
    handle(take(subscription))

    assert [(row.attempts, row.deaths) for row in rows(subscription.topic)] == [(1, 0)]


def test_a_lost_lease_leaves_everything_to_the_heir(actor, subscribed, put, rows, clock):
    def handler(claim):
        clock.move(minutes=1)
        handler.heir = take(claim.subscription)
        with scope(claim.sandbox, actor):
            claim.finish()

    subscription = subscribed(handler)
    put(subscription.topic)

    error = handle(take(subscription))

    assert isinstance(error, LeaseLost)
    assert [row.claim for row in rows(subscription.topic)] == [handler.heir.token]


def test_work_goes_on_until_nothing_is_due(actor, subscribed, put, rows):
    handler = finishing(actor)
    subscription = subscribed(handler, batch=2)
    put(subscription.topic, 5)

    assert work(subscription.topic) == 3

    assert sorted(handler.done) == [0, 1, 2, 3, 4]
    assert work(subscription.topic) == 0


def test_a_turn_ends_so_that_other_topics_have_theirs(actor, subscribed, put, monkeypatch):
    woken = []
    monkeypatch.setattr("cdp.queue.working.TURN", timedelta(0))
    monkeypatch.setattr("cdp.queue.working.wake", woken.append)
    subscription = subscribed(finishing(actor), batch=1)
    put(subscription.topic, 2)

    done = [work(subscription.topic) for _ in range(3)]

    assert done == [1, 1, 0]
    assert woken == [subscription.topic] * 3  # one for a colleague each, one at the turn's end


def test_a_topic_nobody_knows_is_logged_and_left(db, caplog):
    with caplog.at_level(logging.ERROR):
        assert work("no.such.topic") == 0

    assert "topic_without_handler" in caplog.text


def test_log_lines_of_a_handler_carry_sandbox_and_topic(sandbox, actor, subscribed, put, capfd):
    bound = {}

    def handler(claim):
        bound.update(structlog.contextvars.get_contextvars())
        with scope(claim.sandbox, actor):
            claim.finish()

    subscription = subscribed(handler)
    put(subscription.topic)

    handle(take(subscription))

    assert bound["topic"] == subscription.topic
    assert bound["sandbox"] == sandbox.pk
    assert "topic" not in structlog.contextvars.get_contextvars()


def test_whoever_has_handled_goes_on_with_what_follows(actor, subscribed, put):
    after, unrelated = finishing(actor), finishing(actor)
    following, other = subscribed(after), subscribed(unrelated)

    def handler(claim):
        put(following.topic)
        put(other.topic)
        with scope(claim.sandbox, actor):
            claim.finish()

    subscription = subscribed(handler, then=following.topic)
    put(subscription.topic)

    assert work(subscription.topic) == 2
    assert after.done == [0]
    assert unrelated.done == []


def test_what_follows_is_not_looked_for_after_nothing(actor, subscribed, put):
    handler = finishing(actor)
    following = subscribed(handler)
    subscription = subscribed(finishing(actor), then=following.topic)
    put(following.topic)

    assert work(subscription.topic) == 0
    assert handler.done == []
