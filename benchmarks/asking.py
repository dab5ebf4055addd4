"""The asking side, in a process of its own: `python -m benchmarks.asking URL TOKEN PATH ...`.

With a rate of 0 every connection asks again as soon as it is answered: so much the server can
take. With a rate, requests are due at random moments, whether or not earlier ones have been
answered, and each is timed from the moment at which it was due.
"""

import argparse
import http.client
import json
import sys
import threading
import time
from random import Random
from urllib.parse import urlsplit

CONNECTIONS = 32
WARMING_UP = 1.0  # seconds whose answers do not count


def main() -> None:
    """Ask for some seconds; print how many answers came each second, and their quantiles."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("url")
    made.add_argument("token")
    made.add_argument("path", help="with {n} for the number of a person")
    made.add_argument("--people", type=int, required=True)
    made.add_argument("--seconds", type=float, required=True)
    made.add_argument("--rate", type=float, default=0.0)
    said = made.parse_args()
    asking = Asking(said)
    threads = [threading.Thread(target=asking.ask) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if asking.failures:
        sys.exit(asking.failures[0])
    times = sorted(asking.times)
    seconds = said.seconds - WARMING_UP
    quantiles = {f"p{q}": times[int(len(times) * q / 100)] * 1000 for q in (50, 99)}
    print(json.dumps({"rate": len(times) / seconds, **quantiles}))


class Asking:
    """What the connections share: when to ask next, for whom, and what has been seen."""

    def __init__(self, said: argparse.Namespace) -> None:
        self.host = urlsplit(said.url).netloc
        self.said = said
        self.times: list[float] = []
        self.failures: list[str] = []
        self._chance = Random(9)
        self._lock = threading.Lock()
        self._began = self._due = time.perf_counter()

    def ask(self) -> None:
        """Ask until the time is over or something fails."""
        connection = http.client.HTTPConnection(self.host, timeout=30)
        headers = {"Authorization": f"Bearer {self.said.token}"}
        while not self.failures and (turn := self._next()):
            due, person = turn
            time.sleep(max(0.0, due - time.perf_counter()))
            path = self.said.path.format(n=person)
            try:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                connection.close()  # the server lets go of a connection that was idle
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                self.failures.append(f"{path}: {answer.status} {body.decode()}")
            if due - self._began >= WARMING_UP:
                self.times.append(time.perf_counter() - due)

    def _next(self) -> tuple[float, int] | None:
        """Return when the next request is due and whom it asks for; None when time is over."""
        with self._lock:
            now = time.perf_counter()
            if self.said.rate:
                self._due += self._chance.expovariate(self.said.rate)
            else:
                self._due = now
            if self._due - self._began > self.said.seconds:
                return None
            return self._due, self._chance.randint(1, self.said.people)


if __name__ == "__main__":
    main()
