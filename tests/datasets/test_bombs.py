"""Bodies made to hurt: each is refused with its reason, and nobody else notices."""

import gzip
import http.client
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest
from django.db import connection

from cdp.engines.place import CHECKOUT
from cdp.engines.port import free_port
from tests.datasets.making import event, make_dataset, make_inlet, make_key, send
from tests.datasets.test_collection import queued
from tests.datasets.test_ingestion import prepared

MEGABYTE = 1_000_000
DEEP = b'{"a":' * 1_000 + b"1" + b"}" * 1_000
TINY = b"[" + b"{}," * 3_000_000 + b"{}]"
BOMBS = {
    "gzip bomb": (gzip.compress(b'"' + b"0" * 60 * MEGABYTE + b'"'), 413, "too_large"),
    "gzip in gzip": (gzip.compress(gzip.compress(b"{}")), 400, "malformed_json"),
    "two gzip members": (gzip.compress(b"{}") + gzip.compress(b"{}"), 400, "malformed"),
    "broken gzip": (gzip.compress(b"{}" * 99)[:20] + b"\xff" * 20, 400, "malformed"),
    "deep": (DEEP, 400, "json_too_deep"),
    "deep, packed": (gzip.compress(b"[" * 900_000), 400, "malformed_json"),
    "millions of objects": (gzip.compress(TINY), 413, "too_large"),
    "large": (b'{"a": "' + b"x" * 5 * MEGABYTE + b'"}', 413, "too_large"),
    "too many records": (b"[" + b"{}," * 10_000 + b"{}]", 413, "too_large"),
    "no UTF-8": (b'{"a": "\xff\xfe"}', 400, "malformed_json"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("door", ["xdm", "segment", "edge"])
@pytest.mark.parametrize("name", BOMBS)
def test_every_door_refuses_it_and_says_why(sandbox, door, name):
    body, status, code = BOMBS[name]
    inlet = make_inlet(sandbox, make_dataset(sandbox), door=door, requires_key=door == "segment")
    path = {"segment": "/v1/batch", "edge": f"/ee/v1/interact?configId={inlet.pk}", "xdm": ""}
    key = make_key(inlet) if door == "segment" else ""

    answer = send(inlet, body, path=path[door], key=key)

    if name == "too many records" and door != "xdm":
        assert answer.status_code == 400  # these doors take no list at all
    else:
        # Trackers of Segment's kind know no 413.
        assert answer.status_code == (400 if door == "segment" else status)
        assert answer.json()["code"] == code
    assert answer.json()["detail"]
    assert queued(sandbox) == []


@pytest.mark.django_db
@pytest.mark.parametrize("label", ["text/csv", "application/x-www-form-urlencoded", "image/png"])
def test_a_body_of_another_type_is_refused(sandbox, label):
    inlet = make_inlet(sandbox, make_dataset(sandbox))

    answer = send(inlet, event(1), content_type=label)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert queued(sandbox) == []


@pytest.mark.django_db
def test_a_record_that_is_too_wide_or_too_long_is_put_aside_alone(sandbox):
    inlet = make_inlet(sandbox, make_dataset(sandbox))
    wide = event(2, identityMap={f"N{n}": [{"id": "x"}] for n in range(5_000)})
    long = event(3, web={"webPageDetails": {"name": "x" * 2 * MEGABYTE}})

    assert send(inlet, [event(1), wide, long, event(4)]).status_code == 200

    result = prepared(sandbox)
    assert [each.event_id for each in result.accepted] == ["event-1", "event-4"]
    codes = [[error["code"] for error in each.errors] for each in result.rejected]
    assert codes == [["too_many_fields"], ["record_too_large"]]


@contextmanager
def web_process():
    """The web server as it runs in production, on the test's database; yields its port and pid."""
    given, port = connection.settings_dict, free_port()
    user, password = quote(given["USER"]), quote(given["PASSWORD"])
    place = f"{user}:{password}@/{given['NAME']}?host={quote(given['HOST'], safe='')}"
    if not given["HOST"].startswith("/"):
        place = f"{user}:{password}@{given['HOST']}:{given['PORT'] or 5432}/{given['NAME']}"
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "cdp.wsgi:application", "--bind", f"127.0.0.1:{port}",
         "--worker-class", "gthread", "--workers", "1", "--threads", "8", "--no-control-socket"],
        cwd=CHECKOUT, env=os.environ | {"DATABASE_URL": f"postgres://{place}"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def post(port, path, body, **headers):
    """Send a body; one that is an iterator goes in chunks, without its length."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        with suppress(BrokenPipeError):  # the answer may come before all has been sent
            client.request("POST", path, body, {"Content-Type": "application/json", **headers})
        answer = client.getresponse()
        answer.read()
    finally:
        client.close()
    return answer.status


def wait_until_up(port, path):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            return post(port, path, orjson.dumps(event(0)))
        except ConnectionError:
            time.sleep(0.2)
    raise TimeoutError("The web server did not come up.")


def peak_megabytes(master):
    """Return the most memory that the one worker of a server has ever held."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    status = Path(f"/proc/{children[0]}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1_000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc tells the memory")
@pytest.mark.django_db(transaction=True)
def test_bombs_all_at_once_cost_little_memory_and_the_neighbours_go_through(sandbox):
    inlet = make_inlet(sandbox, make_dataset(sandbox))
    path = f"/collection/{inlet.pk}"
    bodies = [body for body, _, _ in BOMBS.values()]
    endless = [b"x" * 65_536] * 200  # in chunks, 13 MB in all
    with web_process() as (port, master), ThreadPoolExecutor(8) as pool:
        assert wait_until_up(port, path) == 200
        before = peak_megabytes(master)

        bombs = [pool.submit(post, port, path, body) for body in bodies * 3]
        chunked = pool.submit(post, port, path, iter([b"[", orjson.dumps(event(100)), b"]"]))
        neighbours = [post(port, path, orjson.dumps(event(n))) for n in range(1, 21)]
        statuses = [bomb.result() for bomb in bombs]
        too_long = pool.submit(post, port, path, iter(endless))
        grown = peak_megabytes(master) - before

    assert neighbours == [200] * 20
    assert statuses == [status for _, status, _ in BOMBS.values()] * 3
    assert chunked.result() == 200
    assert too_long.exception() is not None or too_long.result() == 413
    assert grown < 400, f"{grown:.0f} MB"
    assert len(queued(sandbox)) == 22
