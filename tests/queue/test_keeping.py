import threading
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from cdp.queue import publish
from cdp.queue.keeping import Keeper
from cdp.queue.taking import take
from cdp.tenancy.scope import scope

SHORT = timedelta(seconds=0.4)


class Held:
    """A lease that counts how often it was extended."""

    lease, patience = SHORT, timedelta(minutes=1)

    def __init__(self):
        self.heard_at, self.extended = timezone.now(), 0

    def extend(self):
        self.extended += 1


@pytest.mark.django_db(transaction=True)
def test_a_claim_outlives_its_lease_while_it_is_worked_on(sandbox, actor, subscribed):
    subscription = subscribed(lease=SHORT)
    with scope(sandbox, actor):
        publish(subscription.topic, {}, sandbox=sandbox)
    keeper, claim = Keeper(), take(subscription)

    with keeper.keep(claim), scope(sandbox, actor):  # its own transaction is open all the time
        time.sleep(1)
        stolen = take_elsewhere(subscription)
        claim.finish()
    time.sleep(0.5)

    assert stolen is None
    assert take(subscription) is None


def take_elsewhere(subscription):
    found = []

    def run():
        from django.db import connection

        found.append(take(subscription))
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(5)
    return found[0]


def test_what_is_quick_is_never_extended():
    keeper, held = Keeper(), Held()

    with keeper.keep(held):
        pass
    time.sleep(0.3)

    assert held.extended == 0


def test_several_leases_are_kept_side_by_side():
    keeper, first, second = Keeper(), Held(), Held()

    with keeper.keep(first):
        with keeper.keep(second):
            time.sleep(0.35)
        kept = second.extended
        time.sleep(0.25)

    assert first.extended > second.extended >= 1
    assert second.extended <= kept + 1


def test_patience_ends(caplog):
    keeper, held = Keeper(), Held()
    held.patience = timedelta(seconds=0.15)

    with keeper.keep(held):
        time.sleep(0.6)

    assert held.extended <= 1
    assert "lease_given_up" in caplog.text
