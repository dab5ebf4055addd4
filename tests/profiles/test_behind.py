"""Batches of one claim: decided one after the other, finished behind."""

import threading
import time

import pytest

from cdp import queue
from cdp.datasets.services.writing import write_records
from cdp.tenancy.scope import scope
from profiles.ingest import worker
from profiles.ingest.behind import Behind
from profiles.models import Identity, IngestBatch, Profile
from profiles.selectors.agreement import differences
from tests.profiles.world import ECIDS, ME, event, fates, make_dataset


class Slow:
    """Finishes what it is given after a moment, in the order of coming."""

    def __init__(self, fails: int = 0) -> None:
        self.fails, self.done, self.at_once, self.most = fails, [], 0, 0

    def __call__(self, batch: object) -> None:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        time.sleep(0.02)
        self.at_once -= 1
        if batch == self.fails:
            raise RuntimeError(f"{batch} cannot be finished")
        self.done.append((batch, threading.current_thread() is threading.main_thread()))


def test_batches_are_finished_in_order_one_at_a_time_in_another_thread():
    finish = Slow()

    with Behind(finish) as behind:
        for batch in (1, 2, 3):
            behind.take(batch)

    assert finish.done == [(1, False), (2, False), (3, False)]
    assert finish.most == 1


def test_what_cannot_be_finished_is_raised_at_the_next_or_at_the_end():
    finish = Slow(fails=1)
    with pytest.raises(RuntimeError, match="1 cannot"), Behind(finish) as behind:
        behind.take(1)
        behind.take(2)
    assert finish.done == []

    last = Slow(fails=2)
    with pytest.raises(RuntimeError, match="2 cannot"), Behind(last) as behind:
        behind.take(1)
        behind.take(2)
    assert [batch for batch, _ in last.done] == [1]


def write(sandbox, web, ids):
    """Write three requests of two events, all of them of one person."""
    receipts = []
    for first, second in ids:
        with scope(sandbox, ME):
            records = [event(first, ECID=ECIDS["laptop"]), event(second, ECID=ECIDS["laptop"])]
            receipts.append(write_records(sandbox=sandbox, dataset=web, records=records))
    return receipts


@pytest.mark.django_db(transaction=True)
@pytest.mark.clickhouse
def test_a_claim_of_several_batches_stores_each_record_once(sandbox, monkeypatch):
    monkeypatch.setattr(worker, "RECORDS_AT_ONCE", 2)
    web = make_dataset(sandbox, "Web", events=True)

    receipts = write(sandbox, web, [("1", "2"), ("2", "3"), ("4", "4")])
    queue.drain(["records.received"])

    assert [fates(sandbox, receipt) for receipt in receipts] == ["ss", "ds", "sd"]
    with scope(sandbox, ME):
        assert Identity.objects.for_sandbox(sandbox).count() == 1
        assert Profile.objects.for_sandbox(sandbox).count() == 1
        assert IngestBatch.objects.for_sandbox(sandbox).count() == 0
    assert list(differences(sandbox)) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.clickhouse
def test_a_batch_that_could_not_be_finished_is_finished_by_the_next_claim(sandbox, monkeypatch):
    monkeypatch.setattr(worker, "RECORDS_AT_ONCE", 2)
    web = make_dataset(sandbox, "Web", events=True)
    receipts = write(sandbox, web, [("1", "2"), ("3", "4"), ("5", "6")])
    finish, tried = worker.finish_batch, []

    def fail_once(*args):
        tried.append(args)
        if len(tried) == 1:
            raise RuntimeError("the store broke")
        finish(*args)

    monkeypatch.setattr(worker, "finish_batch", fail_once)
    queue.drain(["records.received"], forgiving=True)
    with scope(sandbox, ME):
        queue.models.QueueItem.objects.for_sandbox(sandbox).update(available_at="2020-01-01T00:00Z")
    queue.drain(["records.received"])

    assert [fates(sandbox, receipt) for receipt in receipts] == ["ss", "ss", "ss"]
    assert list(differences(sandbox)) == []
