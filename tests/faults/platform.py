"""The platform under test: its real processes, and a way to reach and to end each of them."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from cdp.engines.manager import Manager
from cdp.engines.place import CHECKOUT, Place
from cdp.engines.port import free_port
from cdp.engines.up import bring_up
from cdp.engines.urls import current_urls
from demo.client import Client

STARTS_AGAIN = 30  # seconds
OTHERS = ("DATABASE_URL", "REDIS_URL", "CLICKHOUSE_URL", "CLICKHOUSE_GATE")


class Platform:
    """A running platform."""

    def __init__(self, place: Place, manager: Manager, url: str) -> None:
        self.place, self.manager, self.url = place, manager, url
        self._orphans: set[int] = set()

    def kill(self, name: str) -> str:
        """Kill one process of a program, itself or a child, and say which."""
        deadline = time.monotonic() + STARTS_AGAIN
        while time.monotonic() < deadline:
            family = _family(self.manager.pid(name))
            if family:
                # Itself as often as one of its many children, such as PostgreSQL's backends.
                itself, *children = family
                victim = random.choice([itself, random.choice(family)])
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    if victim == itself:
                        self._orphans.update(children)
                    return f"{name} ({'itself' if victim == itself else 'a child'})"
            time.sleep(0.05)
        raise TimeoutError(f"{name} does not run: see {self.place.logs}")

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a program."""
        os.kill(self.manager.pid(name), number)

    def redis(self) -> str:
        """Return Redis' address."""
        return current_urls(self.place.root).redis

    def ask_event_store(self, query: str) -> str:
        """Ask the event store itself, past everything of ours."""
        answer = httpx.post(current_urls(self.place.root).clickhouse, content=query, timeout=60)
        return answer.raise_for_status().text

    def is_well(self) -> bool:
        """Tell whether the web server and all three stores answer.

        The children of a program that was killed may answer for a while yet: those do not count.
        """
        if self._orphans & dict(_parents()).keys():
            return False
        with suppress(httpx.HTTPError, ValueError):
            stores = httpx.get(f"{self.url}/readyz", timeout=5).json()["stores"]
            return set(stores.values()) == {"ready"}
        return False

    def wait_until_well(self) -> None:
        """Return when everything answers."""
        wait_for("everything to answer", self.is_well, STARTS_AGAIN * 2)


@contextmanager
def running(say: Callable[[str], None]) -> Iterator[Platform]:
    """Start the platform on throw-away data, and stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    for name in OTHERS:
        os.environ.pop(name, None)
    os.environ |= {
        "CDP_DATA": str(folder / "data"),
        "CDP_PORT": str(port),
        "CDP_PUBLIC_URL": url,
        "CDP_RATE_LIMIT": "100000/min",
        "CDP_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
    }
    place = Place(folder / "data")
    manager = bring_up(place, say)
    try:
        yield Platform(place, manager, url)
    finally:
        manager.stop()
    shutil.rmtree(folder)  # kept for a look if something was wrong


def operator(url: str) -> Client:
    """Make the installation's first operator, and act as one."""
    done = subprocess.run(
        [sys.executable, "manage.py", "create_operator", "faults@cdp.example"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    words = dict(re.findall(r"Client (id|secret)\s+(\S+)", done.stdout))
    return Client(url, words["id"], words["secret"])


def wait_for(what: str, condition: Callable[[], bool], seconds: float) -> None:
    """Wait until the condition holds; raise `TimeoutError` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {seconds:.0f} s for {what}.")
        time.sleep(0.2)


def _family(pid: int) -> list[int]:
    """Return a process, if it runs, and its children and theirs."""
    parents = dict(_parents())
    found = [pid] if pid in parents else []
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            name, _, rest = stat.read_text().rpartition(")")
            state, parent, *_ = rest.split()
            if state != "Z":  # dead, and nobody has asked how it ended
                yield int(name.split()[0]), int(parent)
