import os
import subprocess
import sys

import pytest

from cdp.engines.place import CHECKOUT
from cdp.engines.port import free_port

# The demo brings its own engines; those of this session are not its business.
OF_THIS_SESSION = {"DATABASE_URL", "REDIS_URL", "CLICKHOUSE_URL", "CLICKHOUSE_GATE", "CDP_DATA"}


@pytest.mark.parametrize("people", [300])
def test_the_demo_tells_its_whole_story(people):
    kept = {name: value for name, value in os.environ.items() if name not in OF_THIS_SESSION}
    environment = kept | {"CDP_PORT": str(free_port())}

    done = subprocess.run(
        [sys.executable, "-m", "demo", "--once", "--people", str(people), "--events", "3000"],
        cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "All 17 steps happened." in done.stdout
