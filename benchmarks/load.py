"""The load generator, in a process of its own: `python -m benchmarks.load URL INLET KEY EVENTS SEED`.

Bodies are made before the clock starts. Prints how many seconds the door took for all.
"""

import http.client
import json
import sys
import threading
import time
from datetime import UTC, datetime
from itertools import islice
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from orjson import dumps

from demo.shop import events, shoppers

AT_ONCE, THREADS, PEOPLE = 100, 4, 5_000


def main() -> None:
    """Send everything, with four connections that stay open."""
    url, inlet, key, number, seed = sys.argv[1:]
    records = events(shoppers(PEOPLE), int(number), datetime.now(UTC), seed=int(seed))
    bodies: SimpleQueue[bytes] = SimpleQueue()
    while part := list(islice(records, AT_ONCE)):
        bodies.put(dumps(part))
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    failures: list[str] = []

    def send() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        while not failures:
            try:
                body = bodies.get_nowait()
            except Empty:
                return
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
