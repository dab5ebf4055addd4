"""How many events a second come in: at the door, and all the way into segments.

The load generator shares the machine. Events come in batches of 100; each is durable
before the door answers, validated, counted once, stitched, stored and evaluated.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.platform import administrator, running
from benchmarks.report import Line, parser, progress, report
from benchmarks.stages import wait_until_quiet
from demo.client import Inlet
from demo.luma import set_up

FLOORS = {"ingest.door": 20_000.0, "ingest.end_to_end": 5_000.0}


def main() -> None:
    """Print the two lines."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--events", type=int, default=200_000)
    said = arguments.parse_args()
    report(measure(20_000 if said.small else said.events), as_json=said.json)


def measure(events: int) -> Iterator[Line]:
    """Yield the line of the door alone, while nobody works, then that of the whole way."""
    settings = {"CDP_BACKLOG_LIMIT": "100000000", "CDP_ALLOWED_PRIVATE_HOSTS": "127.0.0.1"}
    with running(**settings) as platform:
        url = platform.url
        with administrator(url) as client:
            luma = set_up(client, "http://127.0.0.1:9/nobody-listens")
        progress("warming up")
        _send(url, luma.web, 2_000, seed=1)
        wait_until_quiet(url)
        os.killpg(platform.manager.pid("worker"), signal.SIGSTOP)
        yield _line("ingest.door", events, _send(url, luma.web, events, seed=2))
        os.killpg(platform.manager.pid("worker"), signal.SIGCONT)
        wait_until_quiet(url)
        began = time.perf_counter()
        _send(url, luma.web, events, seed=3)
        wait_until_quiet(url)
        yield _line("ingest.end_to_end", events, time.perf_counter() - began)


def _line(bench: str, events: int, seconds: float) -> Line:
    size = f"{events:,} events of 5,000 people, 100 a request, 1 segment"
    return Line(bench, events / seconds, "events/s", "the floor", FLOORS[bench], size)


def _send(url: str, inlet: Inlet, events: int, *, seed: int) -> float:
    """Have another process send events; return how long the door took."""
    progress(f"sending {events:,} events")
    command = [sys.executable, "-m", "benchmarks.load", url, inlet.id, inlet.write_key]
    done = subprocess.run(
        [*command, str(events), str(seed)], stdout=subprocess.PIPE, text=True, check=True
    )
    return float(json.loads(done.stdout)["seconds"])


if __name__ == "__main__":
    main()
