from datetime import timedelta

import pytest
from django.utils import timezone

from cdp.queue import drain
from cdp.queue.models import QueueItem
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.models import Profile
from segments.errors import SegmentInUse
from segments.evaluation import log, rechecks
from segments.models import Evaluation, Segment
from segments.services.evaluations import request_evaluation
from segments.services.lifecycle import create_segment, delete_segment, publish_segment
from segments.topics import RECHECKS_DUE
from tests.segments.shop import ACTOR, Shop, open_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

BUYERS = {
    "type": "events",
    "where": {
        "type": "compare",
        "operator": "=",
        "left": {"field": "eventType"},
        "right": "commerce.purchases",
    },
}


_WEEK = {
    "type": "occurs",
    "operand": {"field": "timestamp"},
    "window": {"test": "<=", "count": 7, "unit": "day", "direction": "before"},
}
BUYERS_OF_THE_WEEK = {"type": "events", "where": {"type": "all", "of": [BUYERS["where"], _WEEK]}}


@pytest.fixture
def shop(sandbox: Sandbox) -> Shop:
    return open_shop(sandbox)


def published(shop: Shop, rule: dict, name: str = "Buyers") -> Segment:
    with scope(shop.sandbox, ACTOR):
        segment = create_segment(actor=ACTOR, sandbox=shop.sandbox, name=name, rule=rule)
        publish_segment(actor=ACTOR, segment=segment)
    drain()
    return segment


def members(shop: Shop, segment: Segment) -> set[int]:
    with scope(shop.sandbox, ACTOR):
        rows = Profile.objects.for_sandbox(shop.sandbox).values_list("pk", "segments")
        return {key for key, held in rows if held.get(segment.pk, {}).get("status") == "realized"}


def test_everybody_is_evaluated_when_a_segment_is_published(shop):
    shop.event("ada@luma.example", "commerce.purchases")
    shop.event("ben@luma.example", "web.webpagedetails.pageViews")

    segment = published(shop, BUYERS)

    assert len(members(shop, segment)) == 1
    with scope(shop.sandbox, ACTOR):
        segment.refresh_from_db()
        assert segment.size == 1


def test_an_event_that_arrives_makes_its_sender_a_member(shop):
    segment = published(shop, BUYERS)
    assert members(shop, segment) == set()

    shop.event("ada@luma.example", "commerce.purchases")

    assert len(members(shop, segment)) == 1
    with scope(shop.sandbox, ACTOR):
        touched = Evaluation.objects.for_sandbox(shop.sandbox).filter(kind="touched")
        assert [evaluation.entered for evaluation in touched] == [1]


def test_a_member_whose_window_has_passed_leaves_without_any_event(shop, clock):
    clock.move(seconds=1)  # Profile reads what comes after its dataset was opened
    segment = published(shop, BUYERS_OF_THE_WEEK)
    shop.event("ada@luma.example", "commerce.purchases", at=clock.now - timedelta(days=6, hours=23))
    assert len(members(shop, segment)) == 1

    clock.move(hours=1)
    drain()
    assert len(members(shop, segment)) == 1  # the window's first millisecond is in it

    clock.move(milliseconds=1)
    drain()
    assert members(shop, segment) == set()


@pytest.mark.parametrize("awake", [6, 24, 167], ids="looked at every {} h".format)
def test_a_member_leaves_on_time_however_long_nothing_has_happened(shop, clock, awake):
    clock.move(seconds=1)
    segment = published(shop, BUYERS_OF_THE_WEEK)
    shop.event("ada@luma.example", "commerce.purchases", at=clock.now)
    for hours in [awake] * (167 // awake) + [167 % awake, 1]:
        clock.move(hours=hours)
        drain()
    assert len(members(shop, segment)) == 1

    clock.move(milliseconds=1)
    drain()
    assert members(shop, segment) == set()


def test_a_member_whose_window_passed_while_nobody_worked_leaves_afterwards(shop, clock):
    clock.move(seconds=1)
    segment = published(shop, BUYERS_OF_THE_WEEK)
    shop.event("ada@luma.example", "commerce.purchases", at=clock.now)

    clock.move(days=40)
    drain()

    assert members(shop, segment) == set()


def test_a_clock_that_is_put_back_while_the_alarm_rings_stops_nothing(shop, clock, monkeypatch):
    clock.move(seconds=1)
    segment = published(shop, BUYERS_OF_THE_WEEK)
    shop.event("ada@luma.example", "commerce.purchases", at=clock.now)
    ring = rechecks.ring_next

    def put_back(*args, **kwargs):
        clock.move(seconds=-1)
        return ring(*args, **kwargs)

    clock.move(hours=1)
    with monkeypatch.context() as patched:
        patched.setattr(rechecks, "ring_next", put_back)
        drain()
    for _ in range(8):
        clock.move(days=1)
        drain()

    assert members(shop, segment) == set()


def test_alarms_do_not_become_more_and_more(shop, clock):
    clock.move(seconds=1)
    published(shop, BUYERS_OF_THE_WEEK)
    for number in range(5):  # each is due before the one before
        week_ago = clock.now - timedelta(days=7)
        due = week_ago + timedelta(minutes=50 - number)
        shop.event(f"p{number}@luma.example", "commerce.purchases", at=due)
    with scope(shop.sandbox, ACTOR):
        alarms = QueueItem.objects.for_sandbox(shop.sandbox).filter(topic=RECHECKS_DUE)
        assert alarms.count() > 5

    for _ in range(28):
        clock.move(minutes=5)
        drain()

    with scope(shop.sandbox, ACTOR):
        assert alarms.count() == 1


def test_time_is_kept_though_who_is_due_later_costs_too_much_to_find(shop, clock, settings):
    clock.move(seconds=1)
    segment = published(shop, BUYERS_OF_THE_WEEK)
    shop.event("ada@luma.example", "commerce.purchases", at=clock.now - timedelta(days=6, hours=23))
    shop.event("ben@luma.example", "commerce.purchases", at=clock.now)
    [_, ben] = sorted(members(shop, segment))
    budgets = settings.CLICKHOUSE_BUDGETS

    settings.CLICKHOUSE_BUDGETS = budgets | {"full": (600, 10_000)}
    for _ in range(20):
        clock.move(minutes=10)
        drain()
    assert members(shop, segment) == {ben}

    settings.CLICKHOUSE_BUDGETS = budgets
    clock.move(days=7)
    drain()
    assert members(shop, segment) == set()


def test_a_deleted_segment_is_taken_off_its_members_and_others_stay(shop):
    shop.event("ada@luma.example", "commerce.purchases")
    gone, kept = published(shop, BUYERS), published(shop, BUYERS, "Also buyers")
    deleted = gone.pk  # Django takes it from the row
    assert len(members(shop, gone)) == 1

    with scope(shop.sandbox, ACTOR):
        delete_segment(actor=ACTOR, segment=gone)
    drain()

    with scope(shop.sandbox, ACTOR):
        [stored] = Profile.objects.for_sandbox(shop.sandbox).values_list("segments", flat=True)
    assert set(stored) == {kept.pk}
    assert log.sizes(shop.sandbox) == {deleted: 0, kept.pk: 1}


def test_a_segment_deleted_during_an_evaluation_is_taken_off_after_it(shop, monkeypatch):
    shop.event("ada@luma.example", "commerce.purchases")
    segment = published(shop, BUYERS)
    deleted = segment.pk
    with scope(shop.sandbox, ACTOR):
        running = request_evaluation(actor=ACTOR, sandbox=shop.sandbox)
        Evaluation.objects.for_sandbox(shop.sandbox).filter(pk=running.pk).update(
            state="telling", asked={deleted: 1}
        )
        delete_segment(actor=ACTOR, segment=segment)

    drain(["segments.deleted"], until_empty=False)
    with scope(shop.sandbox, ACTOR):
        [held] = Profile.objects.for_sandbox(shop.sandbox).values_list("segments", flat=True)
        assert set(held) == {deleted}
        Evaluation.objects.for_sandbox(shop.sandbox).filter(pk=running.pk).update(state="done")
        QueueItem.objects.for_sandbox(shop.sandbox).update(available_at=timezone.now())
    drain()

    with scope(shop.sandbox, ACTOR):
        [held] = Profile.objects.for_sandbox(shop.sandbox).values_list("segments", flat=True)
    assert held == {}


def test_a_segment_that_another_asks_for_is_not_deleted(shop):
    parent = published(shop, BUYERS)
    child = published(shop, {"type": "segment", "id": parent.pk}, "Of the buyers")

    with scope(shop.sandbox, ACTOR), pytest.raises(SegmentInUse) as refusal:
        delete_segment(actor=ACTOR, segment=parent)

    assert [one["id"] for one in refusal.value.extra["dependents"]] == [child.pk]
    with scope(shop.sandbox, ACTOR):
        assert Segment.objects.for_sandbox(shop.sandbox).count() == 2
