"""What the tests of destinations share."""

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from cdp.datasets.models import Dataset
from cdp.tenancy.models import Sandbox
from tests.destinations.world import make_customers


@pytest.fixture(scope="session")
def make_httpserver() -> Iterator[HTTPServer]:
    """The receivers' server; a slow answer of one does not hold up the others."""
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture(autouse=True)
def _near(settings, tmp_path) -> None:
    """Let the tests' own receivers be reached, and retries follow at once."""
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1", "localhost"]
    settings.EXPORT_DIR = tmp_path / "exports"


@pytest.fixture
def customers(sandbox: Sandbox) -> Dataset:
    """A dataset that brings first names and e-mail addresses."""
    return make_customers(sandbox)
