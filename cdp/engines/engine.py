"""The engines by name: how each is run, and how long to wait for it."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cdp.engines import events, owner, postgres, redis
from cdp.engines.errors import EngineError
from cdp.engines.place import CHECKOUT, Place


@dataclass(frozen=True)
class Engine:
    """One embedded engine."""

    name: str
    variable: str  # set in the environment, it replaces the engine
    stop: signal.Signals
    is_ready: Callable[[Place], bool]


ENGINES = {
    engine.name: engine
    for engine in (
        Engine("postgres", "DATABASE_URL", postgres.STOP, postgres.is_ready),
        Engine("redis", "REDIS_URL", redis.STOP, redis.is_ready),
        Engine("events", "CLICKHOUSE_URL", events.STOP, events.is_ready),
    )
}


def run(name: str, place: Place, *, careless: bool = False, log_queries: bool = False) -> NoReturn:
    """Prepare an engine and become it.

    The same path serves the first start and the one after a crash, and whoever
    watches this process watches the engine itself.
    """
    if name == "events":
        command, directory = events.prepare(place, log_queries=log_queries), CHECKOUT
    elif name == "redis":
        command, directory = redis.prepare(place), place.redis
    else:
        command, directory = postgres.prepare(place, careless=careless), place.postgres
    if name == "events":
        os.chdir(directory)
    else:
        owner.become(place.user, directory)
    os.execv(command[0], command)  # noqa: S606 a command of ours, and no shell


def wait_until_ready(name: str, place: Place, seconds: float, is_alive: Callable[[], bool]) -> None:
    """Return when the engine answers; raise if it ends first or takes too long."""
    deadline = time.monotonic() + seconds
    while not ENGINES[name].is_ready(place):
        if not is_alive():
            raise EngineError(
                f"{name} has ended while starting. {last_words(place.logs / f'{name}.log')}"
            )
        if time.monotonic() > deadline:
            raise EngineError(f"{name} did not answer within {seconds:.0f} s: see {place.logs}.")
        time.sleep(0.02)


def last_words(log: Path) -> str:
    """Return the end of a log, for the message about what happened."""
    if not log.exists():
        return ""
    lines = log.read_text(errors="replace").strip().splitlines()[-6:]
    return "\n".join(["Its last words:", *lines]) if lines else f"It said nothing in {log}."
