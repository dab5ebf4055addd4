"""The event store's log of who entered and who left."""

from uuid import uuid4

import pytest
from django.utils import timezone

from cdp.queue.periodic import run_if_due
from cdp.tenancy.scope import scope
from segments.evaluation import keeping, log
from segments.evaluation.log import Entry, Moves
from segments.evaluation.turns import next_turn
from segments.language.sql.scan import Statement
from segments.models import Evaluation
from tests.segments.shop import ACTOR

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]


def test_so_many_changes_are_logged_as_there_are_and_again_changes_nothing(sandbox):
    many = 3 * log.IDS_AT_ONCE + 1
    at = round(timezone.now().timestamp() * 1000)
    first = {"seg_a": Moves(range(1, many + 1), []), "seg_b": Moves(range(1, 11), [])}
    second = {"seg_b": Moves([11], range(1, 6)), "seg_a": Moves([], range(1, many))}
    entries = [Entry(uuid4(), turn, at, moves) for turn, moves in ((1, first), (2, second))]

    log.write(sandbox, entries[0])
    assert log.sizes(sandbox) == {"seg_a": many, "seg_b": 10}
    log.write(sandbox, entries[1])
    log.write(sandbox, entries[1])

    assert log.sizes(sandbox) == {"seg_a": 1, "seg_b": 6}
    assert log.count_changed(sandbox, 2) == many - 1


def test_however_many_are_left_alone_the_differences_of_the_rest_are_logged(sandbox):
    evaluation, many = uuid4(), 3 * log.IDS_AT_ONCE + 1
    everybody = "SELECT 'seg_a' AS segment_id, groupBitmapState(number + 1) AS members"
    found = Statement(f"{everybody} FROM numbers({many + 2})", {})
    tables = (
        "SELECT segment_id, members FROM found_members WHERE sandbox_id = {sandbox:UInt32} AND 0"
    )

    log.write_found(sandbox, evaluation, Statement(f"{found.text} UNION ALL {tables}", {}))
    for attempt in (1, 2):
        log.write_differences(
            sandbox,
            evaluation=evaluation,
            attempt=attempt,
            turn=1,
            at=timezone.now(),
            segments=["seg_a"],
            others=range(1, many + 1),
        )

    assert log.next_changes(sandbox, 1, 0, 10) == {
        many + 1: {"seg_a": True},
        many + 2: {"seg_a": True},
    }


def write(sandbox, entered, exited=()):
    at = round(timezone.now().timestamp() * 1000)
    log.write(sandbox, Entry(uuid4(), next_turn(), at, {"seg_a": Moves(entered, exited)}))


def test_members_are_kept_where_much_has_changed_so_that_less_is_read(sandbox, monkeypatch):
    monkeypatch.setattr(keeping, "MOST_SINCE", 3)
    write(sandbox, [1, 2, 3])
    keeping.keep_where_due()
    assert log.count_since_kept(sandbox) == 3
    write(sandbox, [], [2])

    run_if_due("segments.keep")

    assert (log.count_since_kept(sandbox), log.sizes(sandbox)) == (0, {"seg_a": 2})
    write(sandbox, [2, 4])
    assert (log.count_since_kept(sandbox), log.sizes(sandbox)) == (2, {"seg_a": 4})


def test_members_are_not_kept_before_an_older_turn_has_been_logged(sandbox, monkeypatch):
    monkeypatch.setattr(keeping, "MOST_SINCE", 0)
    with scope(sandbox, ACTOR):
        Evaluation.objects.create(
            id=uuid4(), sandbox=sandbox, kind="full", state="comparing", at=timezone.now()
        )
    write(sandbox, [1])

    keeping.keep_where_due()

    assert log.count_since_kept(sandbox) == 1
