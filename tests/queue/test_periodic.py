import pytest

from cdp.queue import periodic
from cdp.queue.periodic import Turn, due_work, every, run_if_due


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch):
    monkeypatch.setattr(periodic, "_registered", {})


@pytest.fixture
def calls(db, clock):
    """The calls of a piece of work that comes round every ten seconds."""
    made = []
    every(10, "tests.round", lambda: made.append(clock.now))
    return made


def test_work_runs_once_a_period_whoever_asks(calls, clock):
    asked = [run_if_due("tests.round") for _ in range(3)]
    clock.move(seconds=9)
    asked.append(run_if_due("tests.round"))
    clock.move(seconds=1)
    asked.append(run_if_due("tests.round"))

    assert asked == [True, False, False, False, True]
    assert len(calls) == 2


def test_due_work_is_what_nobody_has_done(calls, clock):
    every(10, "tests.other", lambda: None)
    run_if_due("tests.other")

    before = [work.name for work in due_work()]
    run_if_due("tests.round")
    clock.move(seconds=10)

    assert before == ["tests.round"]
    assert [work.name for work in due_work()] == ["tests.round", "tests.other"]


def test_work_never_runs_twice_at_a_time(db, clock):
    inner = []

    def slow():
        clock.move(seconds=5)  # longer than the period
        inner.append(run_if_due("tests.slow"))

    every(1, "tests.slow", slow)

    assert run_if_due("tests.slow")
    assert inner == [False]
    assert run_if_due("tests.slow")  # overdue by now


def test_work_whose_worker_died_is_done_by_another_when_the_lease_ends(calls, clock):
    dead = Turn(periodic._registered["tests.round"])
    assert dead.begin()

    clock.move(seconds=14)
    early = run_if_due("tests.round")
    clock.move(seconds=1)

    assert not early
    assert run_if_due("tests.round")


def test_a_living_worker_keeps_its_turn(calls, clock):
    turn = Turn(periodic._registered["tests.round"])
    turn.begin()

    clock.move(seconds=10)
    turn.extend()
    clock.move(seconds=10)

    assert not run_if_due("tests.round")


def test_a_turn_that_was_lost_says_nothing_at_its_end(calls, clock):
    lost = Turn(periodic._registered["tests.round"])
    lost.begin()
    clock.move(seconds=60)
    run_if_due("tests.round")

    lost.end()

    assert due_work() == []


def test_a_failure_is_logged_and_the_next_time_comes(db, clock, caplog):
    every(10, "tests.broken", lambda: 1 / 0)

    first = run_if_due("tests.broken")
    clock.move(seconds=10)

    assert first
    assert "periodic_failed" in caplog.text
    assert run_if_due("tests.broken")


def test_a_name_is_registered_once(calls):
    with pytest.raises(ValueError, match=r"tests\.round"):
        every(1, "tests.round", lambda: None)
