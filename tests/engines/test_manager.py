import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from cdp.engines import EngineError, lease, manager, program, readiness, up
from cdp.engines.manager import Manager
from cdp.engines.place import CHECKOUT, Place
from cdp.engines.screen import where_everything_is


@pytest.fixture
def place(tmp_path, monkeypatch) -> Iterator[Place]:
    """A data folder whose Redis is embedded; the other engines are said to be elsewhere."""
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setenv("CDP_DATA", str(tmp_path / "data"))
    place = Place(tmp_path / "data")
    place.open()
    yield place
    place.remove()


@pytest.fixture
def managed(place) -> Iterator[Manager]:
    """A manager that runs Redis."""
    manager = Manager(place)
    manager.start([program.PROGRAMS["redis"]])
    readiness.wait_until_ready("redis", place, 10, manager.is_running)
    yield manager
    if manager.is_running():
        manager.stop()
    manager._process.wait(10)


def wait(condition: Callable[[], object], seconds: float) -> float:
    """Return how long it took until the condition held."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() < begun + seconds, "it never came true"
        time.sleep(0.02)
    return time.monotonic() - begun


def test_engines_that_a_variable_replaces_are_not_run(place):
    assert [one.name for one in program.wanted()] == ["redis", "web", "worker", "jobs", "beat"]


def test_a_killed_program_is_back_within_two_seconds_however_often(place, managed):
    for _ in range(3):
        killed = managed.pid("redis")

        os.kill(killed, signal.SIGKILL)

        wait(lambda: managed.pid("redis") not in {0, killed}, 2)  # noqa: B023
        readiness.wait_until_ready("redis", place, 5, managed.is_running)


def test_stopping_leaves_nothing_running(place, managed):
    redis = managed.pid("redis")

    managed.stop()

    assert not managed.is_running()
    assert lease.holder("redis", place) is None
    with pytest.raises(ProcessLookupError):
        os.kill(redis, 0)


def test_engines_that_a_killed_manager_left_behind_are_replaced(place, managed):
    left_behind = managed.pid("redis")
    managed._process.kill()
    managed._process.wait()
    assert lease.holder("redis", place) == left_behind

    managed.start([program.PROGRAMS["redis"]])

    wait(lambda: lease.holder("redis", place) not in {None, left_behind}, 5)
    readiness.wait_until_ready("redis", place, 5, managed.is_running)


def test_a_manager_that_cannot_start_says_why(place, monkeypatch):
    monkeypatch.setattr(
        Manager, "_configuration", lambda *_: "[supervisord]\nuser = nobody-at-all\n"
    )

    with pytest.raises(EngineError, match=r"does not start(.|\n)*nobody-at-all"):
        Manager(place).start([])


def test_a_program_that_ends_at_every_start_is_given_up_with_its_last_words(place, monkeypatch):
    (place.logs / "redis.log").write_text("one\ntwo\nno more memory\n")
    pids = iter(range(1, 100))
    monkeypatch.setattr(Manager, "pid", lambda *_: next(pids))

    with pytest.raises(EngineError, match=r"redis ends while starting(.|\n)*no more memory"):
        readiness.wait_until_ready("redis", place, 10, up._is_steady(Manager(place), "redis"))


def test_a_taken_port_is_refused_before_anything_starts(place, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("CDP_PORT", str(taken.getsockname()[1]))

        with pytest.raises(EngineError, match="set CDP_PORT to a free port"):
            up.bring_up(place, say=lambda _: None)

    assert not Manager(place).is_running()
    assert lease.holder("redis", place) is None


def test_a_failing_step_stops_what_was_started(place, monkeypatch):
    def refuse(*_arguments: object) -> None:
        raise EngineError("manage.py migrate failed.")

    monkeypatch.setattr(up, "_manage", refuse)
    monkeypatch.setenv("CDP_PORT", "0")

    with pytest.raises(EngineError, match="migrate failed"):
        up.bring_up(place, say=lambda _: None)

    assert not Manager(place).is_running()
    assert lease.holder("redis", place) is None


def test_engines_alone_run_for_a_while_and_then_as_before(place):
    with up.engines_alone(place, say=lambda _: None):
        assert readiness.IS_READY["redis"](place)
        assert [one["name"] for one in Manager(place).programs()] == ["redis"]

    assert not Manager(place).is_running()


def test_engines_stay_while_what_uses_them_is_stopped(place, managed, monkeypatch):
    monkeypatch.setattr(manager, "ENGINES", ())  # as if Redis were one of ours

    managed.leave_engines_alone()

    assert managed.pid("redis") == 0
    assert managed.is_running()
    managed.begin("redis")
    readiness.wait_until_ready("redis", place, 10, managed.is_running)


def test_the_screen_says_where_everything_is_and_no_password(place, monkeypatch):
    monkeypatch.setenv("CDP_PORT", "8123")

    text = where_everything_is(place)

    assert "http://127.0.0.1:8123/admin/" in text
    assert f"unix://:...@{place.sockets()}/redis.sock" in text
    assert str(place.root) in text
    assert place.secret("redis") not in text


def test_the_command_line_says_what_runs_and_gives_the_addresses(place, managed):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cdp.engines", *arguments]
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert run("status").stdout.split()[:2] == ["redis", "running"]
    assert f"unix://:{place.secret('redis')}@" in run("env").stdout
    assert run("down").stdout == "  Stopped.\n"
    assert run("status").returncode == 1
    assert run("down").stdout == "  Nothing is running.\n"
