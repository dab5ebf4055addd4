"""Connections that lead only where they may, and end when their time is up."""

import ssl
import time
from collections.abc import Collection, Iterable
from contextvars import ContextVar
from typing import Any

import httpcore

from cdp.outgoing.addresses import AddressRefused, reachable

# Until when the request of this thread may run, on the monotonic clock. A limit for each read
# alone would let a server hold us for ever with one byte a second.
deadline: ContextVar[float] = ContextVar("deadline")


class GuardedBackend(httpcore.NetworkBackend):
    """Opens connections to checked addresses; the pool and TLS still see the host's name."""

    def __init__(self, allowed_inner: Collection[str]) -> None:
        self._allowed = allowed_inner
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            address = reachable(host, port, self._allowed)
        except (AddressRefused, httpcore.ConnectError):
            raise
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} has no address: {error}") from error
        stream = self._plain.connect_tcp(
            address, port, _left(timeout, httpcore.ConnectTimeout), local_address, socket_options
        )
        return _TimedStream(stream)

    def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        raise httpcore.ConnectError("Unix sockets are not spoken to.")


class _TimedStream(httpcore.NetworkStream):
    """A stream whose every step also ends at the request's deadline."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None, error: type[Exception]) -> float:
    left = deadline.get() - time.monotonic()
    if left <= 0:
        raise error("The time for this request is up.")
    return left if timeout is None else min(timeout, left)
