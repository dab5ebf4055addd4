"""`python -m tests.acceptance`: run the tests that show demands, and say which are shown.

Prints one line a demand, `A-13 passed`, `failed` or `missing`, then the totals of each
guide. What pytest says goes to stderr. Ends with 1 if a demand failed.
"""

import sys
from contextlib import redirect_stdout

import pytest


def main() -> int:
    """Run the marked tests and print the report."""
    with redirect_stdout(sys.stderr):
        code = pytest.main(["-m", "acceptance", "-q", "--no-header", *sys.argv[1:]])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return int(code)
    # pytest wants to be the first to import its plugins.
    from tests.plugins.acceptance import FAILED, tally

    for line in tally.report():
        print(line)
    failed = any(tally.state_of(line) == FAILED for line in tally.catalogue.lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
