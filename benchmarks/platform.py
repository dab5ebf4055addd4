"""The whole platform on throw-away data, as `make up` runs it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import progress
from cdp.engines.manager import Manager
from cdp.engines.place import CHECKOUT, Place
from cdp.engines.port import free_port
from cdp.engines.up import bring_up
from demo.client import Client

STORES = ("DATABASE_URL", "REDIS_URL", "CLICKHOUSE_URL")


@dataclass(frozen=True, slots=True)
class Platform:
    """A running platform: its address, and what starts and stops its programs."""

    url: str
    manager: Manager


@contextmanager
def running(**settings: str) -> Iterator[Platform]:
    """Start the platform; `settings` are environment variables. Being ended stops it, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name in STORES:
            os.environ.pop(name, None)
        port = str(free_port())
        url = f"http://127.0.0.1:{port}"
        os.environ.update(CDP_DATA=f"{folder}/data", CDP_PORT=port, CDP_PUBLIC_URL=url, **settings)
        manager = bring_up(Place(Path(folder) / "data"), progress)
        try:
            yield Platform(url, manager)
        finally:
            manager.stop()


def administrator(url: str) -> Client:
    """Make an operator and an organization `Luma`; return its administrator's client."""
    done = subprocess.run(
        [sys.executable, "manage.py", "create_operator", "bench@luma.example"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    words = dict(re.findall(r"Client (id|secret)\s+(\S+)", done.stdout))
    with Client(url, words["id"], words["secret"]) as operator:
        made = operator.post("organizations/", {"name": "Luma", "tenant_namespace": "luma"})
    key = made["administrator"]
    return Client(url, key["client_id"], key["client_secret"])
