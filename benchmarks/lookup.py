"""How long a look-up of a profile takes over HTTP, while the server is half as busy as it can be.

The same is asked of a bare view behind the same authentication: one indexed read of
PostgreSQL, and with events one of the event store. Of each the most that the server takes is
found first; the figures are then those of half that rate, each request timed from when it was
due. The asking side shares the machine.

`lookup.neighbour_p99` is what others notice while everybody uses one cookie: look-ups during
the stitching of such events, against look-ups on a quiet platform, and during the stitching of
as many ordinary events.
"""

import argparse
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from math import log
from typing import Any

import django
import httpx

from benchmarks.platform import Platform, administrator, running
from benchmarks.report import Line, parser, progress, report
from benchmarks.stages import wait_until_quiet
from demo.client import Client, Inlet
from demo.luma import set_up

LOOKUP = "/api/v1/profiles/?identity=Email:{n}@luma.example"
BARE = "/api/v1/bare/?identity=Email:{n}@luma.example"
EVENTS = "&events=10"
A_REQUEST = 500
SIZES = (10_000, 100_000, 1_000_000)
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "benchmarks.serving",
    "CDP_RATE_LIMIT": "1000000000/min",
    "CDP_BACKLOG_LIMIT": "100000000",
    "CDP_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
}


@dataclass(frozen=True, slots=True)
class Times:
    """What was measured at one rate: requests a second, and milliseconds."""

    rate: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What a path takes: when it is asked as often as can be, and half as often."""

    most: Times
    half: Times


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks a platform that has so many people, for so many seconds."""

    url: str
    token: str
    people: int
    seconds: int

    def taken(self, path: str) -> Taken:
        """Return what is reached when every connection always asks, and at half of that."""
        most = self._ask(path, 0.0)
        return Taken(most, self.at_half(path, most))

    def at_half(self, path: str, most: Times) -> Times:
        """Return what is reached at half of the most."""
        return self._ask(path, most.rate / 2)

    def _ask(self, path: str, rate: float) -> Times:
        command = [sys.executable, "-m", "benchmarks.asking", self.url, self.token, path]
        command += ["--people", str(self.people), "--seconds", str(self.seconds)]
        command += ["--rate", str(rate)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        times = Times(**json.loads(done.stdout))
        how = f"at {rate:,.0f}/s" if rate else "at most"
        progress(f"{path} {how}: {times.rate:,.0f}/s, {times.p50:.1f} and {times.p99:.1f} ms")
        return times


def main() -> None:
    """Print the lines of the largest crowd, how they grow, and what neighbours notice."""
    made = parser(__doc__ or "")
    made.add_argument("--profiles", type=int, nargs="+", default=list(SIZES))
    made.add_argument("--seconds", type=int, default=12)
    made.add_argument("--hostile", type=int, default=100_000, help="people with one cookie, or 0")
    options = made.parse_args()
    if options.small:
        options.profiles, options.seconds, options.hostile = [1_000, 10_000], 5, 10_000
    report(measure(options), as_json=options.json)


def measure(options: argparse.Namespace) -> Iterator[Line]:
    """Yield the measurements."""
    with running(**SETTINGS) as platform, administrator(platform.url) as client:
        luma = set_up(client, "http://127.0.0.1:9/nobody-listens")
        token = client.http.headers["Authorization"].partition(" ")[2]
        crowd = gather(client)
        grown: dict[int, dict[str, Taken]] = {}
        for profiles in sorted(options.profiles):
            crowd.grow(max(grown, default=0) + 1, profiles)
            asker = Asker(platform.url, token, profiles, options.seconds)
            grown[profiles] = {path: asker.taken(path) for path in (LOOKUP, LOOKUP + EVENTS)}
        for path, bare in ((LOOKUP, BARE), (LOOKUP + EVENTS, BARE + EVENTS)):
            yield from growth(path, {profiles: taken[path] for profiles, taken in grown.items()})
            yield from against_bare(asker, path, grown[profiles][path], asker.taken(bare))
        if options.hostile:
            most = grown[profiles][LOOKUP].most
            yield from neighbours(platform, luma.web, asker, most, options.hostile)


def gather(client: Client) -> Any:
    """Return an empty crowd of Luma's."""
    django.setup()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the lines stand on standard output
    datasets = {one["name"]: one["id"] for one in client.get("datasets/")["results"]}
    models = import_module("cdp.tenancy.models")
    sandbox = models.Sandbox.objects.select_related("organization").get(organization__name="Luma")
    crowd = import_module("benchmarks.crowd")
    return crowd.Crowd(sandbox, datasets["Luma customers"], datasets["Luma web events"])


def against_bare(asker: Asker, path: str, taken: Taken, bare: Taken) -> Iterator[Line]:
    """Yield what a look-up takes against a bare view, each at half of what it can do."""
    events, half, plain = suffix(path), taken.half, bare.half
    size = f"{asker.people:,} profiles, {half.rate:,.0f}/s against {plain.rate:,.0f}/s"
    yield Line(f"lookup.p50{events}", half.p50, "ms", "a bare view", plain.p50, size)
    yield Line(f"lookup.p99{events}", half.p99, "ms", "a bare view", plain.p99, size)
    name, most = f"lookup.saturation{events}", taken.most.rate
    yield Line(name, most, "/s", "a bare view", bare.most.rate, f"{asker.people:,} profiles")


def growth(path: str, grown: Mapping[int, Taken]) -> Iterator[Line]:
    """Yield what a look-up takes for each number of profiles, against the fewest."""
    (fewest, first), *more = grown.items()
    for profiles, taken in more:
        slope = log(taken.half.p99 / first.half.p99) / log(profiles / fewest)
        size = f"{profiles:,} profiles, slope {slope:.2f}"
        name = f"lookup.growth_p99{suffix(path)}"
        yield Line(name, taken.half.p99, "ms", f"{fewest:,}", first.half.p99, size)


def suffix(path: str) -> str:
    """Return what the names of a path's measurements end with."""
    return "_with_events" if path.endswith(EVENTS) else ""


def neighbours(
    platform: Platform, inlet: Inlet, asker: Asker, most: Times, people: int
) -> Iterator[Line]:
    """Yield what look-ups take while events of others are stitched, at half of the quiet rate."""
    quiet = asker.at_half(LOOKUP, most)
    during = {}
    for kind in ("ordinary", "hostile"):
        os.killpg(platform.manager.pid("worker"), signal.SIGSTOP)
        send(platform.url, inlet, kind, people)
        os.killpg(platform.manager.pid("worker"), signal.SIGCONT)
        during[kind] = asker.at_half(LOOKUP, most)
        progress(f"left of the {kind} events when the asking ended:")
        wait_until_quiet(platform.url)
    size = f"{people:,} people with one cookie, {quiet.rate:,.0f} look-ups/s of others"
    hostile, ordinary = during["hostile"], during["ordinary"]
    for against, other in (("a quiet platform", quiet), ("ordinary events", ordinary)):
        yield Line("lookup.neighbour_p99", hostile.p99, "ms", against, other.p99, size)


def send(url: str, inlet: Inlet, kind: str, people: int) -> None:
    """Send one event of each of so many people, who share a cookie if they are hostile."""
    progress(f"sending {people:,} {kind} events")
    headers = {"Authorization": f"Bearer {inlet.write_key}"}
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    with httpx.Client(base_url=url, timeout=60, headers=headers) as http:
        for start in range(0, people, A_REQUEST):
            records = [visit(kind, n, now) for n in range(start, min(start + A_REQUEST, people))]
            http.post(f"/collection/{inlet.id}", json=records).raise_for_status()


def visit(kind: str, number: int, now: str) -> dict[str, Any]:
    """Return an event of somebody who signs in."""
    cookie = 10**30 if kind == "hostile" else 10**31 + number
    return {
        "_id": f"{kind}-{number}",
        "timestamp": now,
        "eventType": "web.webpagedetails.pageViews",
        "identityMap": {
            "ECID": [{"id": f"{cookie:038}"}],
            "LumaCRM": [{"id": f"{kind}-{number}", "primary": True}],
        },
    }


if __name__ == "__main__":
    main()
