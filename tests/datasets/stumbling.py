"""A real HTTP proxy before the running server, which stumbles as proxies do."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

# Away; taken, and the answer is lost; overloaded. A tracker sends the same again each time.
LOST = "lost"
STUMBLES: tuple[Any, ...] = (503, LOST, 429)
_OF_ONE_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}


@dataclass
class Proxy:
    """Where the proxy is, and what it has answered to each POST."""

    url: str
    answered: list[int] = field(default_factory=list)
    stumbles: list[Any] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def next_stumble(self) -> Any:
        with self.lock:
            return self.stumbles.pop(0) if self.stumbles else None

    @property
    def has_stumbled(self) -> bool:
        """Whether every stumble was met, and something got through after the last."""
        return not self.stumbles and 503 in self.answered and self.answered[-1] < 300


@contextmanager
def proxy_before(upstream: str, stumbles: tuple[Any, ...] = STUMBLES) -> Iterator[Proxy]:
    """Start a proxy that stumbles over the first POSTs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    proxy = Proxy(f"http://127.0.0.1:{server.server_port}", stumbles=list(stumbles))
    server.RequestHandlerClass = _handler(proxy, upstream)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(proxy: Proxy, upstream: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            stumble = proxy.next_stumble() if self.command == "POST" else None
            if stumble in (None, LOST):
                status, headers, answer = self._ask(body)
            if stumble is not None:
                status, answer = (503 if stumble == LOST else stumble), b"{}"
                headers = {"Retry-After": "1", "Content-Type": "application/json"}
                if origin := self.headers.get("Origin"):
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Allow-Credentials"] = "true"
            if self.command == "POST":
                proxy.answered.append(status)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            place = urlsplit(upstream)
            connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
            kept = {k: v for k, v in self.headers.items() if k.lower() not in _OF_ONE_HOP}
            try:
                connection.request(self.command, self.path, body, kept)
                answer = connection.getresponse()
                headers = {k: v for k, v in answer.getheaders() if k.lower() not in _OF_ONE_HOP}
                return answer.status, headers, answer.read()
            finally:
                connection.close()

        do_GET = do_POST = do_OPTIONS = pass_on  # noqa: N815  the names that it is called by

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler
