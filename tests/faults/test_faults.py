import os
import subprocess
import sys

import pytest

from cdp.engines.place import CHECKOUT
from tests.faults.counting import Count

SHORT = ["--events", "2000", "--kills", "1", "--seconds", "10", "--pause", "4"]


@pytest.mark.alone
def test_every_event_is_counted_once_whatever_is_killed():
    """The short form of `make faults`: each program is killed once, Redis emptied and paused."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", *SHORT],
        cwd=CHECKOUT, env=dict(os.environ), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "2000 sent, 2000 counted, 0 twice, 0 lost"
    assert "Redis is emptied" in done.stderr
    assert done.stderr.count("kill ") == 5


def test_a_count_is_exact_only_if_nothing_is_amiss():
    exact = Count(sent=5, counted=5, twice=0, lost=0, stored_by_receipts=5)
    wrong = [
        Count(sent=5, counted=6, twice=1, lost=0, stored_by_receipts=5),
        Count(sent=5, counted=4, twice=0, lost=1, stored_by_receipts=5),
        Count(sent=5, counted=5, twice=1, lost=1, stored_by_receipts=5),
        Count(sent=5, counted=5, twice=0, lost=0, stored_by_receipts=6),
    ]

    assert exact.is_exact
    assert not any(count.is_exact for count in wrong)
    assert str(wrong[2]) == "5 sent, 5 counted, 1 twice, 1 lost"
