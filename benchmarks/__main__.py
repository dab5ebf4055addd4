"""Run every benchmark, one after the other: `python -m benchmarks [--json] [--small]`."""

import subprocess
import sys
from pathlib import Path

HELPERS = {
    "__init__",
    "__main__",
    "asking",
    "load",
    "platform",
    "receiver",
    "report",
    "stages",
}


def main() -> int:
    """Return 0 if every benchmark ran."""
    names = sorted(
        file.stem
        for file in Path(__file__).parent.glob("*.py")
        if file.stem not in HELPERS and "def main(" in file.read_text()
    )
    codes = [
        subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]], check=False
        ).returncode
        for name in names
    ]
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main())
