"""Bring the platform up and take it down."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from cdp.engines import events, port, postgres, redis
from cdp.engines.errors import EngineError
from cdp.engines.manager import Manager
from cdp.engines.place import CHECKOUT, Place
from cdp.engines.program import Program, log_of, wanted, web_port
from cdp.engines.readiness import last_words, wait_until_ready

ENGINE_SECONDS = 60
WEB_SECONDS = 60
MIGRATIONS = (("migrate", "--noinput", "--verbosity", "0"), ("migrate_events",))


def bring_up(place: Place, say: Callable[[str], None]) -> Manager:
    """Start everything that does not run yet, and return when the web server answers.

    Where the platform runs already, it is left as it is. If something cannot be
    started, whatever was is stopped again and `EngineError` says what to do.
    """
    place.open()
    manager = Manager(place)
    if manager.is_running():
        return manager
    programs = wanted()
    _check_ports(place, programs)
    _prepare(place, programs, say)
    os.environ.setdefault("CDP_PUBLIC_URL", f"http://127.0.0.1:{web_port()}")
    os.environ["CDP_DATA"] = str(place.root)
    manager.start(programs)
    try:
        _wait_for_engines(place, manager, programs, say)
        say("Bringing the tables up to date")
        for command in MIGRATIONS:
            _manage(place, *command)
        say("Starting the web server and the workers")
        for program in programs:
            if not program.variable:
                manager.begin(program.name)
        _wait_for_web(place, manager)
    except BaseException:
        manager.stop()
        raise
    return manager


@contextmanager
def engines_alone(place: Place, say: Callable[[str], None]) -> Iterator[None]:
    """Have the engines run and nothing of ours beside them, for the length of the block.

    Afterwards what ran before runs again.
    """
    manager = Manager(place)
    engines = [program for program in wanted() if program.variable]
    ours = [program for program in wanted() if not program.variable]
    if manager.is_running():
        say("Stopping the web server and the workers")
        manager.leave_engines_alone()
        try:
            yield
        finally:
            say("Starting the web server and the workers")
            for program in ours:
                manager.begin(program.name)
    elif engines:
        _prepare(place, engines, say)
        manager.start(engines)
        try:
            _wait_for_engines(place, manager, engines, say)
            yield
        finally:
            manager.stop()
    else:
        yield


def _check_ports(place: Place, programs: list[Program]) -> None:
    if not port.is_free(web_port()):
        raise EngineError(
            f"Port {web_port()} is in use by another program: stop it, or set CDP_PORT to a free port."
        )
    names = {program.name for program in programs}
    if "events" in names and not port.is_free(port.event_store_port(place)):
        port.forget_port(place)  # nobody who knows the old one runs


def _prepare(place: Place, programs: list[Program], say: Callable[[str], None]) -> None:
    """Do what an engine needs once, here, where what goes wrong can be said."""
    prepare = {"postgres": postgres.prepare, "redis": redis.prepare, "events": events.prepare}
    for program in programs:
        if program.variable:
            say(f"Preparing {program.name}")
            prepare[program.name](place)


def _wait_for_engines(
    place: Place, manager: Manager, programs: list[Program], say: Callable[[str], None]
) -> None:
    for program in programs:
        if program.variable:
            say(f"Waiting for {program.name}")
            is_alive = _is_steady(manager, program.name)
            wait_until_ready(program.name, place, ENGINE_SECONDS, is_alive)


def _is_steady(manager: Manager, name: str) -> Callable[[], bool]:
    """Return a test that fails when a program has been started again and again."""
    seen: set[int] = set()

    def is_steady() -> bool:
        seen.add(manager.pid(name))
        return len(seen - {0}) <= 5

    return is_steady


def _manage(place: Place, *arguments: str) -> None:
    log = log_of("migrations", place)
    with log.open("ab") as file:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT,
            stdout=file,
            stderr=file,
            check=False,
        )
    if done.returncode:
        raise EngineError(f"manage.py {arguments[0]} failed. {last_words(log, 25)}")


def _wait_for_web(place: Place, manager: Manager) -> None:
    address = f"http://127.0.0.1:{web_port()}/healthz"
    is_steady = _is_steady(manager, "web")
    deadline = time.monotonic() + WEB_SECONDS
    while True:
        with (
            suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(address, timeout=5),
        ):
            return
        if not is_steady() or time.monotonic() > deadline:
            raise EngineError(
                f"The web server does not answer. {last_words(log_of('web', place), 25)}"
            )
        time.sleep(0.1)
