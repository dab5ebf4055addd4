"""Evaluations that die at any statement: resumed, each change is told once and logged as told."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from cdp.clickhouse import client
from cdp.datasets.services.writing import write_records
from cdp.datasets.topics import RECORDS_RECEIVED
from cdp.queue import drain, publish
from cdp.queue.models import QueueItem
from cdp.queue.periodic import run_if_due
from cdp.tenancy.scope import scope
from profiles.models import Profile
from profiles.topics import PROFILES_CHANGED
from segments.evaluation import log
from segments.evaluation.settling import settle
from segments.models import Evaluation
from segments.services.lifecycle import create_segment, publish_segment
from segments.topics import EVALUATION_WANTED, MEMBERSHIPS_CHANGED, RECHECKS_DUE
from tests.segments.shop import ACTOR, Shop, open_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
BUY = "commerce.purchases"
BOUGHT = f'xEvent[eventType = "{BUY}"]'
QUIET = f'xEvent[eventType = "{BUY}" and timestamp occurs >= 3 hours before now]'
OURS = (PROFILES_CHANGED, EVALUATION_WANTED, RECHECKS_DUE)
EVERY = pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.long)])


class Killed(BaseException):
    """What no handler catches."""


class Killer:
    """Dies at a statement to either store: before it, or when the store has done it."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.left = at
        self.after = after

    def statement(self, execute: Callable, *arguments: object) -> object:
        with self.around():
            return execute(*arguments)

    @contextmanager
    def around(self) -> Iterator[None]:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        yield
        if self.left == 0 and self.after:
            raise Killed


def die(sandbox, monkeypatch, topic: str, at: int, *, after: bool) -> bool:
    """Work on a topic until the statement; tell whether it came so far."""
    killer, connected = Killer(at, after=after), client.connected

    @contextmanager
    def deadly(budget):
        with killer.around(), connected(budget) as opened:
            yield opened

    with monkeypatch.context() as patched, connection.execute_wrapper(killer.statement):
        patched.setattr(client, "connected", deadly)
        try:
            drain([topic])
        except Killed:
            return True
    return False


def go_on(sandbox) -> None:
    """Have somebody else take over, as when the lease of the dead one has ended."""
    with scope(sandbox, ACTOR):
        rows = QueueItem.objects.for_sandbox(sandbox).exclude(claim=None)
        rows.update(claim=None, available_at=sandbox.created_at)
    drain(OURS)
    settle(sandbox)


def told(sandbox) -> Counter[tuple[str, int, bool]]:
    """Count the messages that are out, by segment, profile and whether it entered."""
    counted: Counter[tuple[str, int, bool]] = Counter()
    with scope(sandbox, ACTOR):
        rows = QueueItem.objects.for_sandbox(sandbox).filter(topic=MEMBERSHIPS_CHANGED)
        for payload in rows.values_list("payload", flat=True):
            counted.update((payload["segment"], one, True) for one in payload["entered"])
            counted.update((payload["segment"], one, False) for one in payload["exited"])
    return counted


def logged(sandbox) -> Counter[tuple[str, int, bool]]:
    """Count the transitions in the event store."""
    rows = client.fetch_text(
        "SELECT segment_id, bitmapToArray(entered), bitmapToArray(exited) "
        "FROM transitions WHERE sandbox_id = {sandbox:UInt32}",
        sandbox=sandbox,
        budget=client.LOOKUP,
    )
    return Counter(
        (segment, profile, inside)
        for segment, *moved in rows
        for profiles, inside in zip(moved, (True, False), strict=True)
        for profile in profiles
    )


def held(sandbox) -> set[tuple[str, int, bool]]:
    """Return who is in what, by the profiles' rows."""
    with scope(sandbox, ACTOR):
        rows = Profile.objects.for_sandbox(sandbox).values_list("pk", "segments")
        return {
            (segment, profile, True)
            for profile, segments in rows
            for segment, state in segments.items()
            if state["status"] == "realized"
        }


def assert_told_once(shop: Shop, expected: int) -> None:
    news = told(shop.sandbox)
    assert set(news.values()) <= {1}
    assert news == logged(shop.sandbox)
    assert set(news) == held(shop.sandbox)
    assert len(news) == expected


def moments(stride: int) -> Iterator[tuple[int, bool]]:
    for number in range(1, 400):
        if number % stride == 0 or stride == 1:
            yield number, False
            yield number, True


def publish_rule(shop: Shop, name: str, text: str) -> None:
    with scope(shop.sandbox, ACTOR):
        made = create_segment(actor=ACTOR, sandbox=shop.sandbox, name=name, text=text)
        publish_segment(actor=ACTOR, segment=made)


@EVERY
def test_an_evaluation_of_everybody(sandbox, monkeypatch, stride):
    shop = open_shop(sandbox)
    for number in range(3):
        shop.event(f"p{number}@luma.example", BUY)
    monkeypatch.setattr("segments.evaluation.whole.PROFILES_A_SLICE", 2)
    tried = 0
    for at, after in moments(stride):
        publish_rule(shop, f"Buyers {at} {after}", BOUGHT)
        tried += 1
        came = die(sandbox, monkeypatch, EVALUATION_WANTED, at, after=after)
        go_on(sandbox)
        if not came:
            break

    assert tried > 40 / stride
    assert_told_once(shop, expected=3 * tried)
    with scope(sandbox, ACTOR):
        rows = Evaluation.objects.for_sandbox(sandbox).filter(kind="full")
        assert set(rows.values_list("state", flat=True)) == {"done"}


@EVERY
def test_an_evaluation_of_those_that_changed(sandbox, monkeypatch, stride):
    shop = open_shop(sandbox)
    publish_rule(shop, "Buyers", BOUGHT)
    drain()
    people = strangers(shop, 160 // stride + 4)
    tried = 0
    for (at, after), profile in zip(moments(stride), people, strict=False):
        with scope(sandbox, ACTOR):
            publish(PROFILES_CHANGED, {"profiles": [profile]}, sandbox=sandbox)
        tried += 1
        came = die(sandbox, monkeypatch, PROFILES_CHANGED, at, after=after)
        go_on(sandbox)
        if not came:
            break

    assert not came
    assert tried > 10 / stride
    assert_told_once(shop, expected=tried)


@EVERY
def test_an_evaluation_of_those_whose_time_has_come(sandbox, monkeypatch, clock, stride):
    shop = open_shop(sandbox)
    clock.move(seconds=1)
    publish_rule(shop, "Buyers long ago", QUIET)
    drain()
    count = 160 // stride + 4
    people = strangers(shop, count, begin=clock.now, apart=timedelta(minutes=1))
    with scope(sandbox, ACTOR):
        publish(PROFILES_CHANGED, {"profiles": people}, sandbox=sandbox)
    drain(OURS)
    assert held(sandbox) == set()
    clock.move(minutes=179 - count)  # a minute before the first of them is due
    tried = 0
    for at, after in moments(stride):
        clock.move(minutes=1)
        tried += 1
        came = die(sandbox, monkeypatch, RECHECKS_DUE, at, after=after)
        go_on(sandbox)
        if not came:
            break

    assert not came
    assert tried > 10 / stride
    assert_told_once(shop, expected=tried)


def test_an_evaluation_that_was_left_is_ended_before_the_next_begins(sandbox, monkeypatch):
    """Else the next, which scans later, would be overwritten by what that one has scanned."""
    shop = open_shop(sandbox)
    shop.event("ada@luma.example", BUY)
    publish_rule(shop, "Buyers", BOUGHT)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(log, "write_differences", killed)
        drain([EVALUATION_WANTED])
    publish_rule(shop, "Also buyers", BOUGHT)

    with scope(sandbox, ACTOR):  # the lease ends; by then the next has been waiting for longer
        rows = QueueItem.objects.for_sandbox(sandbox).exclude(claim=None)
        rows.update(available_at=timezone.now())
    drain(OURS)

    assert_told_once(shop, expected=2)
    assert list(log.sizes(sandbox).values()) == [1, 1]
    with scope(sandbox, ACTOR):
        rows = Evaluation.objects.for_sandbox(sandbox).filter(kind="full").order_by("created_at")
        first, second = rows.values_list("ended_at", flat=True)
        assert first < second


def test_what_was_told_before_the_worker_died_is_logged_though_nothing_else_happens(
    sandbox, monkeypatch
):
    shop = open_shop(sandbox)
    publish_rule(shop, "Buyers", BOUGHT)
    drain()
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr("segments.receivers.settle", killed)
        shop.event("ada@luma.example", BUY)
    assert len(held(sandbox)) == 1
    assert list(log.sizes(sandbox).values()) == []

    run_if_due("segments.settle")

    assert list(log.sizes(sandbox).values()) == [1]
    assert_told_once(shop, expected=1)


def killed(*_: object, **__: object) -> None:
    raise Killed


def strangers(shop: Shop, count: int, begin=None, apart=timedelta()) -> list[int]:
    """Have so many people buy something, without any evaluation; return their profiles.

    The last one bought just before `begin`, the others `apart` from each other before that.
    """
    end = begin or timezone.now()
    records = [
        {
            "timestamp": (end - apart * (count - number)).isoformat(timespec="milliseconds"),
            "eventType": BUY,
            "identityMap": {"Email": [{"id": f"s{number}@luma.example", "primary": True}]},
        }
        for number in range(count)
    ]
    with scope(shop.sandbox, ACTOR):
        write_records(sandbox=shop.sandbox, dataset=shop.events, records=records)
    drain([RECORDS_RECEIVED])
    with scope(shop.sandbox, ACTOR):
        QueueItem.objects.for_sandbox(shop.sandbox).filter(topic=PROFILES_CHANGED).delete()
        rows = Profile.objects.for_sandbox(shop.sandbox).order_by("pk")
        return list(rows.values_list("pk", flat=True))
