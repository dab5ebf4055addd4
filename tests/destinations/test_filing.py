"""Files of windows that are over."""

import csv

import pytest

from cdp.queue import backlog
from cdp.tenancy.scope import scope
from destinations.connectors.csv_file.connector import CsvFileConnector
from destinations.enums import DeliveryState, RunState
from destinations.services import filing
from destinations.topics import FILES_DUE
from governance.selectors import get_policy
from governance.services.policies import change_policy, stored_core_policy
from tests.destinations.world import (
    ACTOR,
    activate,
    deliveries,
    fresh,
    label_field,
    make_folder,
    make_person,
    make_segment,
    runs,
    tell,
    work,
)


@pytest.fixture
def segment(sandbox, customers):
    """A segment of people called Sarah."""
    return make_segment(sandbox)


@pytest.fixture
def activation(sandbox, segment):
    """The segment, sent to the folder `news`."""
    return activate(make_folder(sandbox), segment)


@pytest.fixture
def folder(sandbox, settings):
    """Where the files of the sandbox's folder `news` lie."""
    return settings.EXPORT_DIR / sandbox.organization_id / str(sandbox.pk) / "news"


def _rows(folder):
    return [
        list(csv.DictReader(path.read_text().splitlines())) for path in sorted(folder.glob("*.csv"))
    ]


def _window_ends(clock) -> None:
    clock.move(seconds=61)
    work()


def test_a_window_is_a_file(sandbox, segment, activation, folder, clock):
    sarah, ada = make_person(sandbox), make_person(sandbox, "Ada")
    tell(segment, entered=[sarah.pk, ada.pk])
    work()
    clock.move(seconds=5)
    tell(segment, exited=[sarah.pk])
    work()
    before = folder.exists()

    _window_ends(clock)

    [rows] = _rows(folder)
    assert before is False
    assert [(row["profile_id"], row["change"], row["first_name"]) for row in rows] == [
        (f"prf_{sarah.pk}", "entered", "Sarah"),
        (f"prf_{ada.pk}", "entered", "Ada"),
        (f"prf_{sarah.pk}", "exited", "Sarah"),
    ]
    assert rows[0]["email"] == f"sarah{sarah.pk}@luma.example"
    [run] = runs(sandbox)
    assert (run.state, run.received, run.delivered) == (RunState.CLOSED, 3, 3)
    assert [path.name for path in folder.iterdir()] == [run.reference]
    assert {(row.state, row.batch) for row in deliveries(sandbox)} == {
        (DeliveryState.DELIVERED, run.pk)
    }


def test_each_window_has_its_own_file(sandbox, segment, activation, folder, clock):
    sarah = make_person(sandbox)
    for changes in ({"entered": [sarah.pk]}, {"exited": [sarah.pk]}):
        tell(segment, **changes)
        work()
        _window_ends(clock)

    assert [[row["change"] for row in rows] for rows in _rows(folder)] == [["entered"], ["exited"]]


def test_a_run_of_many_pages_is_written_whole_and_in_order(
    sandbox, segment, activation, folder, clock, monkeypatch
):
    monkeypatch.setattr(filing, "PAGE", 4)
    people = [make_person(sandbox).pk for _ in range(12)]
    tell(segment, entered=people)
    work()

    _window_ends(clock)

    [rows] = _rows(folder)
    assert [row["profile_id"] for row in rows] == [f"prf_{each}" for each in people]


def test_a_disk_that_fails_is_tried_again_and_the_file_is_one(
    sandbox, segment, activation, folder, clock, settings
):
    tell(segment, entered=[make_person(sandbox).pk])
    work()
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")

    _window_ends(clock)
    failed = (runs(sandbox)[0].pending, fresh(activation.connection).failures)
    folder.unlink()
    clock.move(seconds=5)
    work()

    assert failed == (1, 1)
    assert len(_rows(folder)) == 1
    assert [row.state for row in deliveries(sandbox)] == [DeliveryState.DELIVERED]
    assert fresh(activation.connection).failures == 0


def test_a_worker_that_dies_after_writing_leaves_one_file(
    sandbox, segment, activation, folder, clock, monkeypatch
):
    written = CsvFileConnector.deliver
    deaths = iter([True])

    def deliver(self, batch):
        receipt = written(self, batch)
        if next(deaths, False):
            raise SystemError("killed")
        return receipt

    monkeypatch.setattr(CsvFileConnector, "deliver", deliver)
    tell(segment, entered=[make_person(sandbox).pk])
    work()

    clock.move(seconds=61)
    work(forgiving=True)
    pending = runs(sandbox)[0].pending
    clock.move(minutes=1)
    work()

    assert pending == 1
    assert len(list(folder.iterdir())) == 1
    assert [run.delivered for run in runs(sandbox)] == [1]


def test_after_the_last_attempt_a_run_has_failed_with_the_reason(
    sandbox, segment, activation, folder, clock, settings
):
    settings.DELIVERY_DELAYS = settings.DELIVERY_DELAYS[:1]
    tell(segment, entered=[make_person(sandbox).pk])
    work()
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")

    for _ in range(3):
        _window_ends(clock)

    [run] = runs(sandbox)
    assert (run.failed, run.pending) == (1, 0)
    assert run.error.startswith("The file could not be written")
    with scope(sandbox, ACTOR):
        assert backlog(sandbox, FILES_DUE) == 0


def test_a_file_that_a_policy_forbids_is_not_written(
    sandbox, customers, segment, activation, folder, clock
):
    label_field(customers.schema, "person.name.firstName", "C4")
    tell(segment, entered=[make_person(sandbox).pk])
    work()
    with scope(sandbox, ACTOR):
        policy = stored_core_policy(get_policy(sandbox, "pol_core_email_targeting"))
        change_policy(actor=ACTOR, policy=policy, status="enabled")

    _window_ends(clock)

    assert not folder.exists()
    assert [(run.refused, run.pending) for run in runs(sandbox)] == [(1, 0)]
    assert "Restrict email targeting" in runs(sandbox)[0].error
