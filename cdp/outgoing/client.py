"""Sending a request to somebody else's server."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final
from urllib.parse import urlsplit

import httpcore
from django.conf import settings

from cdp.outgoing.addresses import AddressRefused
from cdp.outgoing.network import GuardedBackend, deadline

CONNECTIONS: Final = 100
KEPT_SECONDS: Final = 30
LONGEST_URL: Final = 2_000
USER_AGENT: Final = "customer-data-platform/1"


class UrlRefused(ValueError):
    """We do not speak to this URL; the message says why."""


class NoAnswer(Exception):
    """The server did not answer: unreachable, too slow, or no HTTP. Trying again may help."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; `body` is cut at the limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    truncated: bool = field(default=False)


def check_url(url: str, *, longest: int = LONGEST_URL) -> str:
    """Return the host of a URL that we may speak to. Raises `UrlRefused`.

    Only form is checked here; where the name leads is checked at each connection.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # both are parsed, and may fail, on access
    except ValueError as error:
        raise UrlRefused(f"This is not a URL: {error}") from error
    if len(url) > longest or not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise UrlRefused(
            f"Write the URL in plain ASCII without spaces, at most {longest:,} characters."
        )
    if not host or parts.scheme not in {"http", "https"}:
        raise UrlRefused("Give a whole URL, such as https://example.com/hook.")
    if parts.username is not None or parts.fragment:
        raise UrlRefused("Leave user names, passwords and fragments out of the URL.")
    if parts.scheme == "http" and host not in settings.ALLOWED_PRIVATE_HOSTS:
        raise UrlRefused("Use https, so that nobody on the way can read what is sent.")
    return host


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    seconds: float = 15,
    max_bytes: int = 65_536,
    longest: int = LONGEST_URL,
) -> Answer:
    """Send one request and return the answer, whatever its status.

    Redirects are not followed, whichever host they name, and no proxy of the environment
    is used. The whole exchange ends after `seconds`; of the answer at most `max_bytes`
    are read. Raises `UrlRefused` and `NoAnswer`.
    """
    check_url(url, longest=longest)
    started = time.monotonic()
    token = deadline.set(started + seconds)
    try:
        return _exchange(method, url, dict(headers or {}), body, seconds, max_bytes, started)
    except AddressRefused as error:
        raise UrlRefused(str(error)) from error
    except httpcore.TimeoutException as error:
        raise NoAnswer(f"No answer within {seconds:g} seconds.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.PoolTimeout) as error:
        raise NoAnswer(str(error) or type(error).__name__) from error
    finally:
        deadline.reset(token)


def _exchange(
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes,
    seconds: float,
    max_bytes: int,
    started: float,
) -> Answer:
    times = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    own = {"Host": urlsplit(url).netloc, "User-Agent": USER_AGENT}
    pool = _pool(os.getpid(), frozenset(settings.ALLOWED_PRIVATE_HOSTS))
    with pool.stream(
        method,
        url,
        headers=[(name, value) for name, value in (own | headers).items()],
        content=body,
        extensions={"timeout": times},
    ) as response:
        received, whole = bytearray(), True
        for chunk in response.iter_stream():
            received += chunk
            if len(received) > max_bytes:
                del received[max_bytes:]
                whole = False
                break
        return Answer(
            status=response.status,
            headers={
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in response.headers
            },
            body=bytes(received),
            seconds=time.monotonic() - started,
            truncated=not whole,
        )


@cache
def _pool(process: int, allowed_inner: frozenset[str]) -> httpcore.ConnectionPool:
    # One for each process: a connection that a fork inherits belongs to two.
    return httpcore.ConnectionPool(
        max_connections=CONNECTIONS,
        max_keepalive_connections=CONNECTIONS,
        keepalive_expiry=KEPT_SECONDS,
        http2=False,
        network_backend=GuardedBackend(allowed_inner),
    )
