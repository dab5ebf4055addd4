import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from cdp.engines import lease
from cdp.engines.place import CHECKOUT, Place

TAKE = """
import signal, subprocess, sys, time
from pathlib import Path
from cdp.engines import lease
from cdp.engines.place import Place
lease.take("web", Place(Path(sys.argv[1])), signal.SIGTERM)
child = subprocess.Popen(["sleep", "60"], close_fds=False) if "--child" in sys.argv else None
print("taken", child.pid if child else "", flush=True)
time.sleep(60)
"""


@pytest.fixture
def place(tmp_path) -> Place:
    place = Place(tmp_path)
    place.open()
    return place


@pytest.fixture
def taker(place) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts a process which takes the name and keeps it."""
    started = []

    def start(*options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", TAKE, str(place.root), *options],
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout.readline().startswith("taken")
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_holder_of_a_name_can_be_asked_for(place, taker):
    assert lease.holder("web", place) is None

    process = taker()

    assert lease.holder("web", place) == process.pid
    process.kill()
    process.wait()
    assert lease.holder("web", place) is None


def test_who_takes_a_name_ends_the_one_who_has_it(place, taker):
    first = taker()

    second = taker()

    assert first.wait(1) == -signal.SIGTERM
    assert lease.holder("web", place) == second.pid


def test_children_that_a_killed_holder_left_behind_are_killed(place, taker):
    first = taker("--child")
    first.kill()
    first.wait()
    assert lease.holder("web", place) == first.pid  # through the child, which has the lock

    begun = time.monotonic()
    second = taker()

    assert time.monotonic() - begun < 3
    assert lease.holder("web", place) == second.pid
