"""What tests of the event store share."""

import http.client
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest

from tests.stores import session_urls


@pytest.fixture
def fenced() -> SimpleNamespace:
    """A sandbox as the store knows one: a number that no other test has."""
    return SimpleNamespace(pk=random.randrange(1_000_000, 4_000_000_000))


class Reply(NamedTuple):
    """What the gateway said."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass
class RawClient:
    """HTTP by hand, to say what no well-behaved client says."""

    url: str

    def connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)

    def ask(
        self,
        body: bytes | str = b"",
        method: str = "POST",
        path: str = "/",
        headers: Mapping[str, str | None] | None = None,
        **arguments: object,
    ) -> Reply:
        parts = urlsplit(self.url)
        sent = {"X-ClickHouse-User": parts.username, "X-ClickHouse-Key": parts.password}
        sent |= headers or {}
        connection = self.connect()
        try:
            connection.request(
                method,
                f"{path}?{urlencode(arguments)}",
                body,
                {name: value for name, value in sent.items() if value is not None},
            )
            answer = connection.getresponse()
            return Reply(answer.status, answer.read(), dict(answer.headers))
        finally:
            connection.close()


@pytest.fixture
def raw() -> RawClient:
    return RawClient(session_urls().clickhouse)


@pytest.fixture
def table(raw) -> Iterator[str]:
    """A table of the test's own, with one number a row."""
    name = f"own_{random.getrandbits(60)}"
    made = raw.ask(
        f"CREATE TABLE {name} (number UInt64, text String) ENGINE = MergeTree ORDER BY number "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    assert made.status == 200
    yield name
    raw.ask(f"DROP TABLE {name} SYNC")
