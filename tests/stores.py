"""The throw-away stores of a test session.

A plugin rather than a conftest: the addresses must stand in the environment
before pytest-django reads Django's settings.
"""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from cdp.engines import ephemeral
from cdp.engines.ephemeral import EphemeralUrls

_running = ExitStack()
_urls: list[EphemeralUrls] = []


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> None:
    """Start the stores, unless this process runs no tests: `--help`, or `-n` leaves them to others."""
    asked = parser.parse_known_args(args)
    hands_out = asked.numprocesses and "PYTEST_XDIST_WORKER" not in os.environ
    if asked.help or asked.version or hands_out:
        return
    urls = _running.enter_context(ephemeral(Path(tempfile.gettempdir())))
    _urls.append(urls)
    os.environ.update(urls.as_environment())
    os.environ["CLICKHOUSE_GATE"] = "off"  # most tests write without a connection to PostgreSQL


def pytest_unconfigure() -> None:
    """Stop the stores; if this process is killed instead, they stop by themselves."""
    _running.close()


def has_stores() -> bool:
    """Tell whether this process runs tests itself, rather than handing them out."""
    return bool(_urls)


def session_urls() -> EphemeralUrls:
    """Return the addresses of this session's stores."""
    return _urls[0]
