import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import Error

from cdp.clickhouse.client import STREAMED
from cdp.engines import ephemeral
from cdp.engines.ephemeral import EphemeralUrls
from cdp.engines.place import CHECKOUT

TABLE = (
    "CREATE TABLE kept (number UInt64) ENGINE = MergeTree ORDER BY number "
    "SETTINGS non_replicated_deduplication_window = 10000"
)


def connect(url: str):
    return clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False)


@pytest.fixture(scope="module")
def urls(tmp_path_factory) -> Iterator[EphemeralUrls]:
    with ephemeral(tmp_path_factory.mktemp("events"), engines=("events",)) as urls:
        yield urls


def test_no_acknowledged_insert_is_lost_and_none_counts_twice(urls):
    store = connect(urls.clickhouse)
    store.command(TABLE)
    acknowledged = []

    def insert_until_told() -> None:
        batch = 0
        while not enough.is_set():
            try:
                store.insert(
                    "kept",
                    [[batch * 10 + row] for row in range(10)],
                    ["number"],
                    settings={"insert_deduplication_token": str(batch)},
                )
            except Error:
                time.sleep(0.02)  # again, under the same token
            else:
                acknowledged.append(batch)
                batch += 1

    enough = threading.Event()
    inserting = threading.Thread(target=insert_until_told)
    inserting.start()
    for round_, number in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGKILL), start=1):
        wait(lambda: len(acknowledged) >= 7 * round_)  # noqa: B023
        os.kill(urls.pid("events"), number)
    wait(lambda: len(acknowledged) >= 28)
    enough.set()
    inserting.join()

    ((rows, distinct),) = store.query("SELECT count(), uniqExact(number) FROM kept").result_rows
    assert rows == distinct
    assert rows in {len(acknowledged) * 10, (len(acknowledged) + 1) * 10}


def test_a_clean_stop_lets_a_running_question_finish(urls):
    store = connect(urls.clickhouse)
    answers = []
    question = "SELECT sum(sleepEachRow(0.1)) FROM numbers(10)"
    asking = threading.Thread(target=lambda: answers.append(store.command(question)))
    asking.start()
    time.sleep(0.3)

    os.kill(urls.pid("events"), signal.SIGTERM)

    asking.join()
    assert answers == [0]


def test_with_too_few_open_files_it_refuses_to_start(tmp_path):
    few = 1024
    done = subprocess.run(
        [
            *(sys.executable, "-m", "cdp.clickhouse.embedded", "--data", str(tmp_path)),
            *("--backups", str(tmp_path), "--port", "0", "--password-file", "/dev/null"),
        ],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (few, few)),
    )
    assert done.returncode == 1
    assert "needs 4096 open files and the system allows 1024" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_gigabyte_is_streamed_and_not_held(tmp_path):
    with ephemeral(tmp_path, engines=("events",)) as urls:
        store = connect(urls.clickhouse)
        store.command("SELECT 1")
        before = peak_memory(urls.pid("events"))

        stream = store.raw_stream(
            "SELECT repeat(toString(number), 100) FROM numbers(2000000)",
            fmt="TabSeparated",
            settings=STREAMED,
        )
        received = 0
        while piece := stream.read(1 << 20):
            received += len(piece)
        stream.close()

        held = peak_memory(urls.pid("events")) - before
        assert received > 1_000_000_000
        assert held < 200_000_000, held


def peak_memory(pid: int) -> int:
    """Return the most memory that a process has held, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [line for line in status if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def wait(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
