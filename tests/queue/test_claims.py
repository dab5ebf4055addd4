from datetime import timedelta

import pytest

from cdp.queue import LeaseLost, Message, publish_many
from cdp.queue.taking import take
from cdp.tenancy.models import UsageCounter
from cdp.tenancy.scope import scope
from cdp.tenancy.usage import count


@pytest.fixture
def claim(sandbox, actor, subscribed, clock):
    """A claim of three rows."""
    subscription = subscribed(exclusive=True)
    with scope(sandbox, actor):
        publish_many(subscription.topic, [Message({"n": n}) for n in range(3)], sandbox=sandbox)
    return take(subscription)


def test_finish_removes_the_rows(claim, actor, rows):
    with scope(claim.sandbox, actor):
        claim.finish()

    assert rows(claim.topic) == []


def test_finish_of_some_leaves_the_others_claimed(claim, actor, rows):
    with scope(claim.sandbox, actor):
        claim.finish(claim.items[:2])

    assert [(row.payload["n"], row.claim) for row in rows(claim.topic)] == [(2, claim.token)]


def test_finish_of_nothing_is_allowed(claim, actor, rows):
    with scope(claim.sandbox, actor):
        claim.finish([])

    assert len(rows(claim.topic)) == 3


def test_a_rollback_brings_finished_rows_back(claim, actor, rows):
    with pytest.raises(ZeroDivisionError), scope(claim.sandbox, actor):
        claim.finish()
        raise ZeroDivisionError

    assert [row.claim for row in rows(claim.topic)] == [claim.token] * 3


@pytest.mark.parametrize("change", ["finish", "retry", "bury"])
def test_whoever_lost_the_lease_changes_nothing(claim, actor, clock, rows, change):
    clock.move(seconds=60)
    heir = take(claim.subscription)
    before = [(row.pk, row.claim, row.available_at, row.error) for row in rows(claim.topic)]

    arguments = {
        "finish": (),
        "retry": (claim.items, "late", timedelta(0)),
        "bury": (claim.items, "late"),
    }
    with pytest.raises(LeaseLost), scope(claim.sandbox, actor):
        count(claim.sandbox, {("tests", ""): 1})
        getattr(claim, change)(*arguments[change])

    assert [(row.pk, row.claim, row.available_at, row.error) for row in rows(claim.topic)] == before
    with scope(claim.sandbox, actor):
        assert not UsageCounter.objects.for_sandbox(claim.sandbox).exists()
        heir.finish()
    assert rows(claim.topic) == []


def test_a_lease_that_ended_unnoticed_is_still_good(claim, actor, clock, rows):
    clock.move(seconds=60)

    with scope(claim.sandbox, actor):
        claim.finish()

    assert rows(claim.topic) == []


def test_retry_puts_rows_back_for_later_and_says_why(claim, actor, clock, rows):
    with scope(claim.sandbox, actor):
        claim.retry(claim.items[:1], "503 from the receiver", timedelta(seconds=30))
        claim.finish(claim.items[1:])
    early = take(claim.subscription)
    clock.move(seconds=30)
    again = take(claim.subscription)

    assert early is None
    assert [(item.payload, item.attempts) for item in again.items] == [({"n": 0}, 1)]
    assert [row.error for row in rows(claim.topic)] == ["503 from the receiver"]


def test_buried_rows_are_kept_and_never_given_out(claim, actor, clock, rows):
    with scope(claim.sandbox, actor):
        claim.bury(claim.items, "no such receiver")
    clock.move(days=365)

    assert take(claim.subscription) is None
    assert [(row.error, row.claim) for row in rows(claim.topic)] == [("no such receiver", None)] * 3
    assert all(row.buried_at for row in rows(claim.topic))


def test_heartbeat_moves_the_end_of_the_lease(claim, clock):
    clock.move(seconds=10)
    claim.heartbeat()
    clock.move(seconds=10)

    assert take(claim.subscription) is None


def test_heartbeat_tells_that_the_lease_is_lost(claim, clock):
    clock.move(seconds=60)
    take(claim.subscription)

    with pytest.raises(LeaseLost):
        claim.heartbeat()
