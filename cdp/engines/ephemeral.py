"""Throw-away engines for tests: quick to start, gone afterwards, any number side by side."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cdp.engines import lease
from cdp.engines.place import CHECKOUT, Place
from cdp.engines.program import ENGINES
from cdp.engines.readiness import wait_until_ready
from cdp.engines.urls import Urls, clickhouse_url, postgres_url, redis_url

START_SECONDS = 60


@dataclass(frozen=True)
class EphemeralUrls(Urls):
    """The addresses of throw-away engines, and what a test may want to know of them."""

    @property
    def query_log(self) -> Path:
        """One JSON object a line for every query the event store was sent."""
        return self.place.logs / "queries.jsonl"

    def pid(self, engine: str) -> int | None:
        """Return the process number of an engine, for a test that kills it; None if it is down."""
        return lease.holder(engine, self.place)


@contextmanager
def ephemeral(
    directory: Path, durable: bool = False, engines: tuple[str, ...] = ENGINES
) -> Iterator[EphemeralUrls]:
    """Start engines with their data under `directory` and stop them at the end.

    Several may run on one machine. An engine that is killed comes back with the
    same address. `durable` keeps PostgreSQL's promises on a crash of the machine
    as well, at the price of speed. If the calling process is killed, the engines
    end by themselves.
    """
    place = Place(Path(tempfile.mkdtemp(prefix="engines-", dir=directory)))
    place.open()
    options = ["--log-queries", *([] if durable else ["--careless"])]
    guardian = subprocess.Popen(
        [sys.executable, "-m", "cdp.engines.guardian", str(place.root), *engines, *options],
        stdin=subprocess.PIPE,
        cwd=CHECKOUT,
        env=os.environ | {"CDP_DATA": str(place.root)},
        start_new_session=True,
    )
    try:
        for name in engines:
            wait_until_ready(name, place, START_SECONDS, lambda: guardian.poll() is None)
        yield EphemeralUrls(
            database=postgres_url(place),
            redis=redis_url(place),
            clickhouse=clickhouse_url(place),
            place=place,
        )
    finally:
        if guardian.stdin:
            guardian.stdin.close()
        guardian.wait()
