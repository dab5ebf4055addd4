"""The load generator, in a process of its own.

`python -m benchmarks.load URL INLET KEY EVENTS SEED [PEOPLE [RATE]]`: what happened in the
last months as fast as the door takes it, or so many events a second as they happen. Bodies
are made before the clock starts. Prints how many seconds the door took for all.
"""

import http.client
import json
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from orjson import dumps

from demo.shop import events, shoppers

AT_ONCE, THREADS, PEOPLE = 100, 4, 5_000
AT_ONCE_WHEN_PACED = 10


def main() -> None:
    """Send everything, with four connections that stay open."""
    url, inlet, key, number, seed, *more = sys.argv[1:]
    people, rate = [int(given) for given in more] + [PEOPLE, 0][len(more) :]
    now = datetime.now(UTC)
    records = events(shoppers(people), int(number), now, seed=int(seed))
    bodies: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
    at_once = AT_ONCE_WHEN_PACED if rate else AT_ONCE
    due = 0.0
    while part := list(islice(records, at_once)):
        happens = {"timestamp": (now + timedelta(seconds=due)).isoformat()} if rate else {}
        bodies.put((due, dumps([{**record, **happens} for record in part])))
        due += at_once / rate if rate else 0.0
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    failures: list[str] = []

    def send() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        while not failures:
            try:
                due, body = bodies.get_nowait()
            except Empty:
                return
            time.sleep(max(0.0, began + due - time.perf_counter()))
            connection.request("POST", f"/collection/{inlet}", body=body, headers=headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200:
                failures.append(f"{answer.status} {said.decode()}")

    threads = [threading.Thread(target=send) for _ in range(THREADS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    if failures:
        sys.exit(failures[0])
    print(json.dumps({"seconds": took}))


if __name__ == "__main__":
    main()
