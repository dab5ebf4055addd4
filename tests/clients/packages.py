"""The trackers for Node and browsers, installed by npm where they are used first."""

import shutil
import subprocess
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parent
WHOLE = CLIENTS / "node_modules" / ".package-lock.json"  # npm writes it last


def installed() -> Path:
    """Return the folder of the trackers; skip the test where they cannot be installed.

    Several processes run tests, and one of them installs while the others wait.
    """
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    with (CLIENTS / "package.json").open() as turn:
        flock(turn, LOCK_EX)
        if not WHOLE.exists():
            done = subprocess.run(
                ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"],
                cwd=CLIENTS, capture_output=True, timeout=300, check=False,
            )  # fmt: skip
            if done.returncode:
                pytest.skip("the trackers could not be installed")
    return CLIENTS
