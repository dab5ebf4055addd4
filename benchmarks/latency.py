"""How long it takes from an event to what follows from it, while 500 others come in each second.

Fifty segments of mixed kinds are published. Time counts from the door's answer, until
the REST API shows the new member, and until a receiver outside has the webhook. Then
windows of a few seconds pass and begin without any event, and what counts is the time
from the very moment until the API shows it.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import quantiles
from typing import Any

from benchmarks.platform import administrator, running
from benchmarks.receiver import Receiver, receiving
from benchmarks.report import Line, parser, progress, report
from benchmarks.stages import wait_until_quiet
from demo.client import Client
from demo.luma import Luma, set_up
from demo.shop import Shopper, event, profile_records, shoppers

PROBE, TIMED = "web.formFilledOut", "web.webinteraction.linkClicks"
VIEW, ADD, BUY = "commerce.productViews", "commerce.productListAdds", "commerce.purchases"
SEGMENTS, RATE, WINDOW = 50, 500, 15.0
EVENT_FLOOR, TIME_FLOOR = 1.5, 2.0  # seconds
POLL_SECONDS = 0.1  # asking costs the server time that it is measured by


@dataclass(slots=True)
class Watch:
    """Since when each person should be in or out of a segment, and when the API showed it."""

    segment: str
    status: str
    since: dict[str, float] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)

    def waiting(self) -> list[str]:
        """Return whose moment has come and who is not seen yet."""
        now = time.time()
        return [
            one for one, since in list(self.since.items()) if since <= now and one not in self.seen
        ]

    def took(self) -> list[float]:
        """Return how long each took, in seconds."""
        return [self.seen[one] - since for one, since in self.since.items()]


def main() -> None:
    """Print the lines."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--seconds", type=int, default=60)
    arguments.add_argument("--people", type=int, default=5_000)
    said = arguments.parse_args()
    if said.small:
        said.seconds, said.people = 15, 500
    report(measure(said.seconds, said.people), as_json=said.json)


def measure(seconds: int, people: int) -> Iterator[Line]:
    """Yield the lines."""
    settings = {"CDP_ALLOWED_PRIVATE_HOSTS": "127.0.0.1", "CDP_BACKLOG_LIMIT": "100000000"}
    with (
        running(**settings) as platform,
        receiving() as receiver,
        administrator(platform.url) as client,
    ):
        luma = set_up(client, receiver.url)
        shop = shoppers(people)
        _fill(platform.url, client, luma, shop)
        probed, left, entered = _segments(client, luma)
        wait_until_quiet(platform.url)
        yield from _under_load(client, luma, receiver, Watch(probed, "realized"), shop, seconds)
        wait_until_quiet(platform.url)
        yield from _by_time(client, luma, shop, Watch(left, "exited"), Watch(entered, "realized"))


def _fill(url: str, client: Client, luma: Luma, shop: Sequence[Shopper]) -> None:
    progress(f"{len(shop):,} people, and ten events each")
    records = list(profile_records(list(shop)))
    for start in range(0, len(records), 500):
        client.collect(luma.crm, records[start : start + 500])
    _load(url, luma, 10 * len(shop), seed=1, people=len(shop)).wait()
    wait_until_quiet(url)


def _segments(client: Client, luma: Luma) -> tuple[str, str, str]:
    """Publish the segments; return those that are watched."""
    progress(f"publishing {SEGMENTS} segments")
    probed = _publish(client, "Probed", f'xEvent[eventType = "{PROBE}"]')
    client.post(
        "activations/",
        {
            "connection_id": luma.email_tool,
            "segment_id": probed,
            "mapping": [{"identity": "Email", "target": "email"}],
        },
    )
    timed = f'xEvent[eventType = "{TIMED}" and timestamp occurs'
    left = _publish(client, "Left", f"{timed} <= {WINDOW:.0f} seconds before now]")
    entered = _publish(client, "Entered", f"{timed} >= {WINDOW:.0f} seconds before now]")
    for number in range(SEGMENTS - 4):  # Luma has one of its own
        _publish(client, f"Mixed {number}", _mixed(number))
    return probed, left, entered


def _mixed(number: int) -> str:
    """Return a rule of one of five kinds."""
    days, least = 3 + 2 * number, 1 + number % 4
    seen = f'xEvent[eventType = "{VIEW}" and timestamp occurs <= {days} days before now]'
    bought = f'xEvent[eventType = "{BUY}" and timestamp occurs <= {days} days before now]'
    kinds = (
        f"{seen}.count() >= {least}",
        f"{bought}.sum(productListItems.quantity) >= {least}",
        f"{seen} and not ({bought})",
        f'loyalty.tier = "Gold" and {seen}',
        f'CHAIN(xEvent, timestamp, [C0: WHAT(eventType = "{ADD}" and timestamp occurs <= {days} days before now), C1: WHAT(eventType = "{BUY}")])',
    )
    return kinds[number % 5]


def _publish(client: Client, name: str, text: str) -> str:
    segment = client.post("segments/", {"name": name, "text": text})["id"]
    client.post(f"segments/{segment}/publish/", {})
    return str(segment)


def _under_load(
    client: Client,
    luma: Luma,
    receiver: Receiver,
    watch: Watch,
    shop: Sequence[Shopper],
    seconds: int,
) -> Iterator[Line]:
    """Send one probe four times a second beside the load, and wait for what follows."""
    load = _load(client.url, luma, RATE * (seconds + 10), seed=2, people=len(shop), rate=RATE)
    time.sleep(5)  # so that the load is steady
    probes = iter(shop)
    end = time.time() + seconds
    sent = 0
    while time.time() < end or watch.waiting():
        if time.time() < end and sent < 4 * (time.time() - end + seconds):
            person = next(probes)
            _send(client, luma, person, PROBE, datetime.now(UTC), f"probe-{sent}")
            watch.since[person.email] = time.time()
            sent += 1
        _look(client, watch)
    shown = load.wait()
    if shown:
        sys.exit("the load could not be sent")
    _wait(lambda: all((one, "segment.entered") in receiver.arrived for one in watch.since))
    heard = [receiver.arrived[one, "segment.entered"] - at for one, at in watch.since.items()]
    size = f"{RATE} events/s, {SEGMENTS} segments, {len(shop):,} people, {sent} probes"
    yield _line("latency.membership_p95", watch.took(), EVENT_FLOOR, size)
    yield _line("latency.webhook_p95", heard, EVENT_FLOOR, size)


def _by_time(
    client: Client, luma: Luma, shop: Sequence[Shopper], left: Watch, entered: Watch
) -> Iterator[Line]:
    """Let the windows of 200 people pass and begin, ten each second."""
    progress("windows pass and begin")
    people = list(shop[-200:])
    for number, person in enumerate(people):
        at = datetime.now(UTC).replace(microsecond=0)
        _send(client, luma, person, TIMED, at, f"timed-{number}")
        left.since[person.email] = at.timestamp() + WINDOW + 0.001  # its last millisecond is in it
        entered.since[person.email] = at.timestamp() + WINDOW
        pause = time.time() + 0.1
        while time.time() < pause:
            _look(client, left, entered)
    deadline = time.time() + 2 * WINDOW + 60
    while len(left.seen) + len(entered.seen) < 2 * len(people):
        _look(client, left, entered)
        if time.time() > deadline:
            sys.exit("waited a minute in vain")
    size = f"{len(people)} members, windows of {WINDOW:.0f} s, {SEGMENTS} segments"
    for name, watch in (("passed", left), ("begun", entered)):
        yield _line(f"latency.window_{name}_p50", watch.took(), TIME_FLOOR, size, share=50)
        yield _line(f"latency.window_{name}_max", watch.took(), TIME_FLOOR, size, share=100)


def _send(client: Client, luma: Luma, person: Shopper, kind: str, at: datetime, key: str) -> None:
    record = event(
        event_id=key, kind=kind, at=at, ecid=person.ecid, email=person.email,
        category=person.category, size=person.size, quantity=1,
    )  # fmt: skip
    client.collect(luma.web, [record])


def _look(client: Client, *watches: Watch) -> None:
    """Ask the API once for everybody who is waited for."""
    asked = sorted({one for watch in watches for one in watch.waiting()})[:100]
    if not asked:
        time.sleep(POLL_SECONDS)
        return
    body = {"identities": [{"namespace": "Email", "value": one} for one in asked]}
    results = client.post("profiles/bulk-get/", body)["results"]
    now = time.time()
    for one, result in zip(asked, results, strict=True):
        held: dict[str, Any] = (result["profile"] or {}).get("segments", {})
        for watch in watches:
            if held.get(watch.segment, {}).get("status") == watch.status and one in watch.since:
                watch.seen.setdefault(one, now)
    time.sleep(POLL_SECONDS)


def _wait(is_done: Callable[[], bool]) -> None:
    deadline = time.time() + 60
    while not is_done():
        if time.time() > deadline:
            sys.exit("waited a minute in vain")
        time.sleep(0.1)


def _load(
    url: str, luma: Luma, events: int, *, seed: int, people: int, rate: int = 0
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.load", url, luma.web.id, luma.web.write_key]
    numbers = [str(number) for number in (events, seed, people, rate)]
    return subprocess.Popen([*command, *numbers], stdout=subprocess.DEVNULL)


def _line(bench: str, took: list[float], floor: float, size: str, share: int = 95) -> Line:
    ordered = sorted(took)
    cuts = [*quantiles(ordered, n=100, method="inclusive"), ordered[-1]]
    progress(f"{bench}: p50 {cuts[49]:.3f} s, p95 {cuts[94]:.3f} s, max {cuts[99]:.3f} s")
    return Line(bench, cuts[share - 1], "s", "the budget", floor, size)


if __name__ == "__main__":
    main()
