"""A REST server with OAuth2 client credentials, bad moods on demand, and a log of what was asked."""

import json
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings

from cdp.outgoing import client

CLIENT, SECRET = "reader", "s3cret/+value"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for data."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]


@dataclass
class Api:
    """What the server knows. `troubles` are (status, headers) of its next answers to data."""

    troubles: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    token_uses: int = 1_000_000
    url: str = ""
    _left: dict[str, int] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def data(self, asked: Asked) -> tuple[int, Any]:
        """Return status and JSON of an answer."""
        raise LookupError(asked.path)

    def refusal(self) -> Any:
        """Return what is said to a token that is not good any more."""
        return {"error": {"code": "0x80072560", "message": "The token has expired."}}

    def new_token(self, form: dict[str, str]) -> tuple[int, Any]:
        """Answer the token endpoint as RFC 6749 says."""
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            said = f"Invalid client secret provided: {form.get('client_secret')}"
            return 401, {"error": "invalid_client", "error_description": said}
        token = f"token-{next(self._numbers)}"
        self.tokens.append(token)
        self._left[token] = self.token_uses
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3599}

    def lets_in(self, header: str) -> bool:
        """Take one use off a token."""
        token = header.removeprefix("Bearer ")
        self._left[token] = self._left.get(token, 0) - 1
        return self._left[token] >= 0


@contextmanager
def serving(api: Api) -> Iterator[Api]:
    """Run the server while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            form = dict(parse_qsl(self.rfile.read(size).decode()))
            self._answer(*api.new_token(form), {})

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(parts.path, dict(parse_qsl(parts.query)), headers)
            api.asked.append(asked)
            if api.troubles:
                status, extra = api.troubles.popleft()
                self._answer(status, {"error": "busy"}, extra)
            elif not api.lets_in(self.headers.get("Authorization", "")):
                self._answer(401, api.refusal(), {})
            else:
                self._answer(*api.data(asked), {})

        def _answer(self, status: int, content: Any, headers: dict[str, str]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        client._pool(os.getpid(), frozenset(settings.ALLOWED_PRIVATE_HOSTS)).close()
        server.shutdown()
        server.server_close()
        thread.join()
