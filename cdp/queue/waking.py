"""Telling the workers that a topic has work: quick, quiet, and allowed to fail.

`wake` only notes the topic; a thread of its own sends the message, so nobody who
publishes ever waits for Redis. `wake_later` has it sent when a row's rest is over. What
is not sent, the tick of each second makes good.
"""

import heapq
import os
import threading
import time
from collections.abc import Callable

import structlog

from cdp.queue import broker
from cdp.queue.subscriptions import SHORT_WORK, find_subscription

AT_MOST_EVERY = 0.05  # seconds between two messages of a topic
BREAK = 1.0  # seconds of silence after Redis did not answer
MOST_LATER = 1_000  # wake-ups kept for later; for more of them the tick is near enough
# Seconds: who rests for days would take the places of those, and no wait is that long.
LATEST = 600.0

log = structlog.get_logger(__name__)


class Waker:
    """Sends wake-ups from a thread: at most one a topic in 50 ms, none while Redis is away."""

    def __init__(self, send: Callable[[str, str, str], None]) -> None:
        self._send = send
        self._wanted: set[str] = set()
        self._later: list[tuple[float, str]] = []
        self._changed = threading.Condition()
        self._not_before: dict[str, float] = {}
        self._broken_until = 0.0
        self._thread: threading.Thread | None = None

    def wake(self, topic: str) -> None:
        """Note that a topic has work, and return at once."""
        with self._changed:
            self._wanted.add(topic)
            self._begin()

    def wake_later(self, topic: str, seconds: float) -> None:
        """Note that a topic will have work, and return at once."""
        with self._changed:
            if seconds <= LATEST and len(self._later) < MOST_LATER:
                heapq.heappush(self._later, (time.monotonic() + seconds, topic))
                self._begin()

    def _begin(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _run(self) -> None:
        while True:
            topic = self._next()
            try:
                self._send(broker.WORK, topic, _lane(topic))
            except broker.AWAY as error:
                self._broken_until = time.monotonic() + BREAK
                with self._changed:
                    self._wanted.add(topic)
                log.warning("broker_away", error=str(error))

    def _next(self) -> str:
        """Wait until a topic may be woken, and take it."""
        with self._changed:
            while True:
                now = time.monotonic()
                while self._later and self._later[0][0] <= now:
                    self._wanted.add(heapq.heappop(self._later)[1])
                due = self._later[0][0] - now if self._later else None
                if not self._wanted:
                    self._changed.wait(due)
                    continue
                topic = min(self._wanted, key=self._earliest)
                pause = max(self._earliest(topic), self._broken_until) - now
                if pause <= 0:
                    self._wanted.discard(topic)
                    self._not_before[topic] = now + AT_MOST_EVERY
                    return topic
                self._changed.wait(pause if due is None else min(pause, due))

    def _earliest(self, topic: str) -> float:
        return self._not_before.get(topic, 0.0)


_waker = Waker(broker.send)


def wake(topic: str) -> None:
    """Wake a worker for a topic, if that can be done; never raises, never waits."""
    _waker.wake(topic)


def wake_later(topic: str, seconds: float) -> None:
    """Wake a worker for a topic in a while, if this process still lives then; never waits."""
    _waker.wake_later(topic, seconds)


def _lane(topic: str) -> str:
    subscription = find_subscription(topic)
    return subscription.lane if subscription else SHORT_WORK


def _forget_parent() -> None:
    """Start anew in a forked child: threads stay behind, a held lock would be held for ever."""
    global _waker  # noqa: PLW0603 there is one a process
    _waker = Waker(broker.send)


os.register_at_fork(after_in_child=_forget_parent)
