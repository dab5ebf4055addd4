"""Names that resolve as a test says, and servers that behave badly."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Give a name its addresses; returns the list of look-ups that were made."""
    names: dict[str, tuple[str, ...]] = {}
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *args: object, **kwargs: object) -> object:
        if host not in names:
            return real(host, port, *args, **kwargs)  # type: ignore[arg-type]
        asked.append(host)
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (address, port)) for address in names[host]]

    def say(host: str, *addresses: str) -> list[str]:
        names[host] = addresses
        return asked

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return say


@pytest.fixture
def bad_server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Start a server that treats each connection as a test says; returns its URL."""
    listeners: list[socket.socket] = []

    def start(treat: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        treat(connection)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    for listener in listeners:
        listener.close()
