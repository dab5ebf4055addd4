"""A client that sends events and retries whatever was refused, until each was accepted."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any

import httpx
from orjson import dumps

from demo.client import Inlet

THREADS = 4
AT_ONCE = 50
PEOPLE = 2_000
LONGEST_PAUSE = 2.0
REFUSALS = {429, 503}  # with Retry-After; anything else is a fault of ours


@dataclass(frozen=True, slots=True)
class Answer:
    """What the door said to one request, and how long it took; 0 if it said nothing."""

    begun: float
    seconds: float
    status: int
    may_retry: bool


class Sender:
    """Sends a number of events, spread over some seconds, from several threads."""

    def __init__(self, url: str, inlet: Inlet, number: int, seconds: float) -> None:
        self.number = number
        self.answers: list[Answer] = []
        self.accepted = 0
        self._address = f"{url}/collection/{inlet.id}"
        self._headers = {
            "Authorization": f"Bearer {inlet.write_key}",
            "Content-Type": "application/json",
        }
        self._waiting: SimpleQueue[list[dict[str, Any]]] = SimpleQueue()
        for part in _parts(_events(number)):
            self._waiting.put(part)
        self._pause = seconds * THREADS / max(1, self._waiting.qsize())
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send, daemon=True) for _ in range(THREADS)]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def is_done(self) -> bool:
        """Tell whether every event was accepted."""
        return not any(thread.is_alive() for thread in self._threads)

    def statuses(self) -> dict[int, int]:
        """Return how often each status was answered."""
        return dict(Counter(answer.status for answer in self.answers))

    def faults(self) -> list[Answer]:
        """Return the answers that no client should ever get."""
        fine = REFUSALS | {0, 200}
        return [
            answer
            for answer in self.answers
            if answer.status not in fine or (answer.status in REFUSALS and not answer.may_retry)
        ]

    def between(self, begun: float, ended: float) -> list[Answer]:
        """Return the answers to what was asked in a stretch of time, or still under way then."""
        return [
            answer
            for answer in self.answers
            if answer.begun < ended and answer.begun + answer.seconds > begun
        ]

    def _send(self) -> None:
        with httpx.Client(timeout=30, headers=self._headers) as client:
            while True:
                try:
                    events = self._waiting.get_nowait()
                except Empty:
                    return
                body = dumps(events)
                while not self._is_accepted(client, body):
                    time.sleep(random.uniform(0.05, 0.5))
                with self._lock:
                    self.accepted += len(events)
                time.sleep(random.uniform(0.5, 1.5) * self._pause)

    def _is_accepted(self, client: httpx.Client, body: bytes) -> bool:
        begun = time.monotonic()
        try:
            response = client.post(self._address, content=body)
            status, retry_after = response.status_code, response.headers.get("Retry-After", "")
        except httpx.HTTPError:
            status, retry_after = 0, ""
        took = time.monotonic() - begun
        self.answers.append(Answer(begun, took, status, may_retry=bool(retry_after)))
        if status in REFUSALS:
            time.sleep(min(LONGEST_PAUSE, float(retry_after or 1)))
        return status == 200


def _events(number: int) -> Iterator[dict[str, Any]]:
    kinds = ("web.webpagedetails.pageViews", "commerce.productViews", "commerce.productListAdds")
    for n in range(number):
        yield {
            "_id": f"event-{n}",
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "eventType": random.choice(kinds),
            "identityMap": {
                "ECID": [{"id": f"{10**37 + random.randrange(PEOPLE)}", "primary": True}]
            },
        }


def _parts(events: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while part := list(islice(events, random.randint(1, AT_ONCE))):
        yield part
