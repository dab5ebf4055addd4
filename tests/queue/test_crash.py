import json
import subprocess
import sys

from cdp.engines.place import CHECKOUT


def test_rows_are_worked_once_whatever_is_killed_and_when():
    """Three workers die dozens of times, and PostgreSQL with them, while rows come in."""
    command = [sys.executable, "-m", "tests.queue.probe.crash", "4"]

    ended = subprocess.run(
        command, cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False
    )

    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["published"] > 100
    assert told["done"] == told["published"]
    assert told["seen"] >= told["done"]  # what is begun and lost is begun again
    assert told["left"] == 0
    assert told["kills"] > 20
    assert told["database_kills"] > 0
