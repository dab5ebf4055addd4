"""A receiver of webhooks that notes when what arrived."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from orjson import loads


class Receiver:
    """What has arrived: by e-mail address and type of news, when first."""

    def __init__(self) -> None:
        self.url = ""
        self.arrived: dict[tuple[str, str], float] = {}

    def note(self, body: bytes) -> None:
        """Note the people that a message is about."""
        now = time.time()
        message = loads(body)
        for email in message["data"]["identities"]["email"]:
            self.arrived.setdefault((email, message["type"]), now)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen on a port of this machine."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            receiver.note(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet: standard output is for the figures."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield receiver
        finally:
            server.shutdown()
