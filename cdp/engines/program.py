"""What runs on one machine: the engines, the web server, the workers; each by its name."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cdp.engines import events, lease, owner, postgres, redis
from cdp.engines.place import CHECKOUT, Place


@dataclass(frozen=True)
class Program:
    """One process of the platform. `order` says when it starts; it stops the other way round."""

    name: str
    order: int
    stop: signal.Signals = signal.SIGTERM
    stop_seconds: int = 20
    variable: str = ""  # set in the environment, it replaces this engine


PROGRAMS = {
    program.name: program
    for program in (
        Program("postgres", 1, postgres.STOP, 30, variable="DATABASE_URL"),
        Program("redis", 2, redis.STOP, variable="REDIS_URL"),
        Program("events", 3, events.STOP, 30, variable="CLICKHOUSE_URL"),
        Program("web", 4),
        Program("worker", 5),
        Program("jobs", 6),
        Program("beat", 7),
    )
}
ENGINES = tuple(name for name, program in PROGRAMS.items() if program.variable)


def wanted() -> list[Program]:
    """Return the programs this machine runs: all but the engines that a variable replaces."""
    return [
        program
        for program in PROGRAMS.values()
        if not (program.variable and os.environ.get(program.variable))
    ]


def run(name: str, place: Place, *, careless: bool = False, log_queries: bool = False) -> NoReturn:
    """Prepare a program and become it.

    The same path serves the first start and the one after a crash, and whoever
    watches this process watches the program itself.
    """
    lease.take(name, place, PROGRAMS[name].stop)
    user, directory = None, CHECKOUT
    if name == "postgres":
        command = postgres.prepare(place, careless=careless)
        user, directory = place.user, place.postgres
    elif name == "redis":
        command = redis.prepare(place)
        user, directory = place.user, place.redis
    elif name == "events":
        command = events.prepare(place, log_queries=log_queries)
    else:
        command = [sys.executable, "-m", *_python_program(name)]
    owner.become(user, directory)
    os.execv(command[0], command)  # noqa: S606 a command of ours, and no shell


def web_port() -> int:
    """Return the port the web server listens on."""
    return int(os.environ.get("CDP_PORT") or 8000)


def _python_program(name: str) -> list[str]:
    if name == "web":
        return [
            *("gunicorn", "cdp.wsgi:application", "--bind", f"127.0.0.1:{web_port()}"),
            *("--worker-class", "gthread", "--workers", os.environ.get("CDP_WEB_WORKERS", "2")),
            *("--threads", os.environ.get("CDP_WEB_THREADS", "8")),
            # A new server can listen while the workers of a killed one still leave.
            *("--reuse-port", "--timeout", "60", "--graceful-timeout", "15"),
            "--preload",  # it listens when it can answer, and a killed worker's heir is ready at once
            "--no-control-socket",  # it would lie in the home directory, one for all
        ]
    if name == "worker":
        return _worker("work", os.environ.get("CDP_WORKERS", "2"))
    if name == "jobs":
        return _worker("jobs", os.environ.get("CDP_JOB_WORKERS", "1"))
    return ["celery", "--app", "cdp", "beat", "--pidfile", ""]


def _worker(lane: str, processes: str) -> list[str]:
    """Return the command of the workers of one lane: short work never waits behind long work."""
    return [
        *("celery", "--app", "cdp", "worker", "--queues", lane, "--hostname", f"{lane}@%h"),
        *("--concurrency", processes, "--without-gossip", "--without-mingle"),
        *("--loglevel", "INFO"),
    ]


def log_of(name: str, place: Place) -> Path:
    """Return the file in which a program's words are kept."""
    return place.logs / f"{name}.log"
