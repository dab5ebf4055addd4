"""From changes of membership to rows that wait to be delivered."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cdp.queue import backlog, drain
from cdp.queue.models import QueueItem
from cdp.tenancy.scope import scope
from destinations.enums import DeliveryState, RunState
from destinations.topics import DELIVERIES_DUE, FILES_DUE
from segments.topics import MEMBERSHIPS_CHANGED
from tests.destinations.world import (
    ACTOR,
    activate,
    deliveries,
    make_folder,
    make_segment,
    make_webhook,
    runs,
    tell,
)

URL = "https://receiver.example/hook"


@pytest.fixture
def segment(sandbox, customers):
    """A segment of people called Sarah."""
    return make_segment(sandbox)


def _accept() -> None:
    drain([MEMBERSHIPS_CHANGED])


def _due(sandbox, topic=DELIVERIES_DUE):
    with scope(sandbox, ACTOR):
        rows = QueueItem.objects.for_sandbox(sandbox).filter(topic=topic).order_by("pk")
        return [(row.payload, row.count, row.available_at) for row in rows]


def test_each_change_becomes_a_delivery_for_each_activation_of_the_segment(sandbox, segment):
    first, second = make_webhook(sandbox, URL), make_webhook(sandbox, URL)
    activations = [activate(first, segment), activate(second, segment)]
    activate(first, make_segment(sandbox, "Walkers"))

    change = tell(segment, entered=[11, 12], exited=[13])
    _accept()

    found = deliveries(sandbox)
    assert {(row.activation_id, row.profile_id, row.entered) for row in found} == {
        (activation.pk, profile, entered)
        for activation in activations
        for profile, entered in ((11, True), (12, True), (13, False))
    }
    assert {row.change for row in found} == {change}
    assert {row.state for row in found} == {DeliveryState.PENDING}
    assert [(run.activation_id, run.received, run.pending) for run in runs(sandbox)] == [
        (activation.pk, 3, 3) for activation in activations
    ]


def test_the_news_goes_in_the_transaction_that_writes_the_rows(sandbox, segment):
    activate(make_webhook(sandbox, URL), segment)
    tell(segment, entered=[11])

    _accept()

    with scope(sandbox, ACTOR):
        assert backlog(sandbox, MEMBERSHIPS_CHANGED) == 0
        assert backlog(sandbox, DELIVERIES_DUE) == 1


def test_the_same_change_told_twice_is_one_delivery(sandbox, segment):
    activate(make_webhook(sandbox, URL), segment)

    change = tell(segment, entered=[11])
    _accept()
    tell(segment, entered=[11, 12], change=change)
    _accept()

    assert [row.profile_id for row in deliveries(sandbox)] == [11, 12]
    assert [run.received for run in runs(sandbox)] == [2]
    assert [payload["deliveries"] for payload, *_ in _due(sandbox)] == [
        [row.pk] for row in deliveries(sandbox)
    ]


@pytest.mark.acceptance("D-44")
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, 1),
        ({"enabled": False}, 0),
        ({"starts_at": timedelta(minutes=-1), "ends_at": timedelta(minutes=1)}, 1),
        ({"starts_at": timedelta(minutes=1), "ends_at": timedelta(minutes=2)}, 0),
        ({"starts_at": timedelta(minutes=-2), "ends_at": timedelta(minutes=-1)}, 0),
    ],
)
def test_only_what_happens_while_an_activation_is_live_is_sent(sandbox, segment, values, expected):
    now = timezone.now()
    moments = {
        name: now + value if isinstance(value, timedelta) else value
        for name, value in values.items()
    }
    activate(make_webhook(sandbox, URL), segment, **moments)

    tell(segment, entered=[11])
    _accept()

    assert len(deliveries(sandbox)) == expected


def test_a_change_before_the_end_is_sent_however_late_it_is_taken_up(sandbox, segment, clock):
    activate(make_webhook(sandbox, URL), segment, ends_at=clock.now + timedelta(minutes=1))
    tell(segment, entered=[11])

    clock.move(minutes=5)
    _accept()

    assert len(deliveries(sandbox)) == 1


def test_nothing_collects_for_a_stopped_connection(sandbox, segment):
    connection = make_webhook(sandbox, URL)
    activate(connection, segment)
    with scope(sandbox, ACTOR):
        connection.state = "stopped"
        connection.save()

    tell(segment, entered=[11])
    _accept()

    assert deliveries(sandbox) == []


def test_batches_are_as_large_as_the_connection_says(sandbox, segment):
    activate(make_webhook(sandbox, URL, settings={"batch_size": 2}), segment)

    tell(segment, entered=[11, 12, 13])
    tell(segment, exited=[11, 12])
    _accept()

    ids = [row.pk for row in deliveries(sandbox)]
    due = _due(sandbox)
    assert [payload["deliveries"] for payload, *_ in due] == [ids[:2], ids[2:4], ids[4:]]
    assert [count for _, count, _ in due] == [2, 2, 1]
    assert len({payload["batch"] for payload, *_ in due}) == 3


def test_a_stream_has_a_run_for_each_hour(sandbox, segment, clock):
    activate(make_webhook(sandbox, URL), segment)

    for profile, minutes in ((11, 0), (12, 59), (13, 2)):
        clock.move(minutes=minutes)
        tell(segment, entered=[profile])
        _accept()

    assert [(run.state, run.received) for run in runs(sandbox)] == [
        (RunState.CLOSED, 2),
        (RunState.OPEN, 1),
    ]


def test_a_file_collects_until_its_window_is_over(sandbox, segment, clock):
    activate(make_folder(sandbox), segment)

    for profile in (11, 12):
        tell(segment, entered=[profile])
        _accept()

    [run] = runs(sandbox)
    assert run.received == 2
    assert _due(sandbox) == []
    assert _due(sandbox, FILES_DUE) == [
        ({"run": run.pk, "attempts": 0}, 1, clock.now + timedelta(seconds=60))
    ]


def test_a_large_change_is_written_in_so_many_statements(
    sandbox, segment, django_assert_max_num_queries
):
    activate(make_webhook(sandbox, URL, settings={"batch_size": 1_000}), segment)
    tell(segment, entered=range(1, 5_001))

    with django_assert_max_num_queries(40):
        _accept()

    assert len(deliveries(sandbox)) == 5_000
    assert len(_due(sandbox)) == 5
