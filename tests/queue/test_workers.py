"""Real workers on a Redis that is emptied, paused and killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
import redis

from cdp.engines import ephemeral
from cdp.engines.ephemeral import EphemeralUrls
from cdp.engines.place import CHECKOUT

PROGRAMS = {
    "worker": ["worker", "--concurrency", "2", "--without-gossip", "--without-mingle"],
    "beat": ["beat", "--pidfile", ""],
}


class Platform:
    """Workers with the probe on engines of their own."""

    def __init__(self, urls: EphemeralUrls, folder: Path) -> None:
        self.urls, self.folder = urls, folder
        self.programs: dict[str, subprocess.Popen] = {}
        self.environment = os.environ | urls.as_environment()
        self.environment["DJANGO_SETTINGS_MODULE"] = "tests.queue.probe.settings"

    def start(self, name: str) -> None:
        command = [sys.executable, "-m", "celery", "--app", "cdp", *PROGRAMS[name]]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.programs[name] = subprocess.Popen(
                command,
                cwd=CHECKOUT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Kill a program with its children."""
        os.killpg(self.programs[name].pid, signal.SIGKILL)
        self.programs[name].wait()

    def stop(self) -> None:
        for program in self.programs.values():
            program.terminate()
        for program in self.programs.values():
            program.wait(30)

    def run(self, *command: str) -> None:
        subprocess.run([sys.executable, *command], cwd=CHECKOUT, env=self.environment, check=True)

    @contextmanager
    def publishing(self, seconds: float, waits: int = 0) -> Iterator[dict]:
        """Publish a row each 20 ms from another process while the block runs, and wait for it.

        Afterwards the dictionary holds what `tests.queue.probe.publishing` tells.
        """
        told: dict = {}
        command = [sys.executable, "-m", "tests.queue.probe.publishing", str(seconds), str(waits)]
        publisher = subprocess.Popen(
            command, cwd=CHECKOUT, env=self.environment, stdout=subprocess.PIPE, text=True
        )
        try:
            yield told
        finally:
            out, _ = publisher.communicate(timeout=60)
        told |= json.loads(out.splitlines()[-1])

    def redis(self) -> int:
        """Return the process number of Redis, which may just be starting again."""
        deadline = time.monotonic() + 10
        while not (pid := self.urls.pid("redis")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return pid

    def counted(self, name: str) -> int:
        with psycopg2.connect(self.urls.database) as connection, connection.cursor() as cursor:
            cursor.execute("SET cdp.bypass = 'on'")
            cursor.execute(
                "SELECT coalesce(sum(amount), 0) FROM tenancy_usagecounter WHERE name = %s", [name]
            )
            return int(cursor.fetchone()[0])

    def log(self, name: str) -> list[dict]:
        lines = (self.folder / f"{name}.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture(scope="module")
def platform(tmp_path_factory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("workers")
    with ephemeral(folder, engines=("postgres", "redis")) as urls:
        here = Platform(urls, folder)
        here.run("manage.py", "migrate", "--verbosity", "0")
        for name in PROGRAMS:
            here.start(name)
        try:
            yield here
        finally:
            here.stop()


def within(seconds: float, condition: Callable[[], bool]) -> float:
    """Wait until the condition holds; return how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


def all_done(platform: Platform, told: dict) -> Callable[[], bool]:
    return lambda: platform.counted("probe.done") == told["total"]


def test_workers_do_what_is_published_and_what_comes_round(platform):
    with platform.publishing(1) as told:
        pass

    within(10, all_done(platform, told))
    before = platform.counted("probe.rounds")
    time.sleep(3)

    assert 2 <= platform.counted("probe.rounds") - before <= 4


def test_a_row_is_worked_before_the_next_tick(platform):
    with platform.publishing(0, waits=9) as told:
        pass

    assert sorted(told["waits"])[4] < 0.2


def test_an_emptied_redis_loses_nothing(platform):
    client = redis.Redis.from_url(platform.urls.redis)

    with platform.publishing(3) as told:
        for _ in range(20):
            client.flushall()
            time.sleep(0.1)

    within(5, all_done(platform, told))
    assert told["slowest"] < 1


def test_while_redis_is_paused_nobody_waits_and_then_all_is_done(platform):
    with platform.publishing(5) as told:
        time.sleep(1)
        os.kill(platform.redis(), signal.SIGSTOP)
        time.sleep(3)
        os.kill(platform.redis(), signal.SIGCONT)

    within(10, all_done(platform, told))
    assert told["slowest"] < 1


def test_a_killed_redis_delays_work_by_seconds_only(platform):
    with platform.publishing(3) as told:
        time.sleep(1)
        for _ in range(3):
            os.kill(platform.redis(), signal.SIGKILL)
            time.sleep(0.7)

    took = within(20, all_done(platform, told))
    assert told["slowest"] < 1
    assert took < 10


def test_a_killed_worker_is_replaced_and_its_rows_come_back(platform):
    with platform.publishing(3) as told:
        time.sleep(1.5)
        platform.kill("worker")
        platform.start("worker")

    within(20, all_done(platform, told))


def test_the_worker_speaks_json_with_sandbox_and_topic(platform):
    worked = [line for line in platform.log("worker") if line["event"] == "worked"]

    assert worked
    assert {(line["topic"], line["level"]) for line in worked} == {("probe.counted", "info")}
    assert all(line["sandbox"] == 1 and line["items"] > 0 for line in worked)
