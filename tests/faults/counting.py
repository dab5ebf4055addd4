"""What arrived, by the event store's own account and by the platform's."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

from demo.client import Client, Refused
from tests.faults.platform import Platform, wait_for


@dataclass(frozen=True, slots=True)
class Count:
    """The fate of the events that were sent."""

    sent: int
    counted: int
    twice: int
    lost: int
    stored_by_receipts: int

    @property
    def is_exact(self) -> bool:
        """Tell whether each event was counted, and once."""
        return (
            self.counted == self.sent == self.stored_by_receipts
            and not self.twice
            and not self.lost
        )

    def __str__(self) -> str:
        return f"{self.sent} sent, {self.counted} counted, {self.twice} twice, {self.lost} lost"


def wait_until_worked(client: Client, seconds: float) -> None:
    """Return when no stage of the pipeline has work left. Raises if something was put aside."""

    def is_worked() -> bool:
        stages = patient(lambda: client.get("stages/"))["results"]
        buried = [stage for stage in stages if stage["buried"]]
        if buried:
            raise AssertionError(f"Work was put aside: {buried}")
        return all(stage["items"] == stage["later"] for stage in stages)

    wait_for("all work to be done", is_worked, seconds)


def count(platform: Platform, client: Client, sent: int) -> Count:
    """Compare what the event store holds with what was sent."""
    answer = platform.ask_event_store(
        "SELECT event_id, count() AS times FROM events GROUP BY event_id FORMAT JSONEachRow"
    )
    rows = Counter(
        {row["event_id"]: int(row["times"]) for row in map(json.loads, answer.splitlines())}
    )
    wanted = {f"event-{n}" for n in range(sent)}
    usage = patient(lambda: client.get("usage/", name="records.stored", limit=500))["results"]
    return Count(
        sent=sent,
        counted=rows.total(),
        twice=sum(times > 1 for times in rows.values()),
        lost=len(wanted - rows.keys()),
        stored_by_receipts=sum(row["amount"] for row in usage),
    )


def patient(ask: Callable[[], Any]) -> Any:
    """Ask until there is an answer: something may still be starting again."""
    found = []

    def is_answered() -> bool:
        with suppress(httpx.HTTPError):
            try:
                found.append(ask())
            except Refused as refused:
                if refused.status != 503:
                    raise
        return bool(found)

    wait_for("an answer", is_answered, 60)
    return found[0]
