"""The HTTP side: who may ask, how a question is read, how the answer is written."""

import base64
import hmac
import json
import secrets
import uuid
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from cdp.clickhouse.gateway.ask import Ask, read_ask, read_form
from cdp.clickhouse.gateway.body import read_body
from cdp.clickhouse.gateway.failure import Failure

USER = "cdp"


@dataclass(frozen=True)
class Answer:
    """What the store says: pieces of the result, and how many rows it read or wrote."""

    pieces: Generator[bytes]
    summary: Mapping[str, int] = field(default_factory=dict)
    has_result: bool = True


def whole(body: bytes) -> Generator[bytes]:
    """Return the pieces of an answer that is there in one."""
    yield body


class Store(Protocol):
    """Whoever can answer."""

    def answer(self, ask: Ask, data: Iterable[bytes]) -> Answer:
        """Run the statement; the pieces must be read to the end or closed."""


class Gateway(ThreadingHTTPServer):
    """A server for one store on the loopback interface."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, password: str, store: Store) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        port = self.server_address[1]
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self.password, self.store = password, store


class Handler(BaseHTTPRequestHandler):
    """One connection; it may carry many requests."""

    server: Gateway
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # 45 ms a query otherwise
    wbufsize = -1  # header and a short answer leave in one packet
    server_version = "cdp-events"

    def do_GET(self) -> None:
        """Answer whether the store lives. Questions are asked by POST alone."""
        if self._is_stranger():
            return
        if urlsplit(self.path).path == "/ping":
            self._send(200, b"Ok.\n")
        else:
            self._refuse(Failure(164, "READONLY", "Use POST"), status=405)

    def do_POST(self) -> None:
        """Run one statement."""
        if self._is_stranger():
            return
        try:
            self._require_password()
            ask, data = self._read()
            self._reply(ask, self.server.store.answer(ask, data))
        except Failure as failure:
            self._refuse(failure)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing about single requests; the query log does."""

    def _is_stranger(self) -> bool:
        """Refuse a web page in somebody's browser: another host name, or any origin at all."""
        if self.headers.get("Host") in self.server.hosts and "Origin" not in self.headers:
            return False
        self._refuse(Failure(516, "AUTHENTICATION_FAILED", "Only local programs may ask"))
        return True

    def _require_password(self) -> None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        given = f"{self.headers.get('X-ClickHouse-User', '')}:{self.headers.get('X-ClickHouse-Key', '')}"
        if scheme.lower() == "basic":
            given = base64.b64decode(token, validate=False).decode(errors="replace")
        if not hmac.compare_digest(given.encode(), f"{USER}:{self.server.password}".encode()):
            raise Failure(516, "AUTHENTICATION_FAILED", f"{USER}: Authentication failed")

    def _read(self) -> tuple[Ask, Iterable[bytes]]:
        arguments = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        content_type = self.headers.get("Content-Type", "")
        pieces = read_body(self.rfile, self.headers)
        if content_type.startswith("multipart/form-data"):
            arguments |= read_form(content_type, b"".join(pieces))
            return read_ask(arguments, b"")[0], ()
        head = next(pieces, b"")
        ask, start = read_ask(arguments, head)
        if not ask.insert_format and (rest := b"".join(pieces)):
            return read_ask(arguments, head + rest)[0], ()
        return ask, chain((head[start:],), pieces)

    def _reply(self, ask: Ask, answer: Answer) -> None:
        """Send the answer, streaming it if it comes in more than one piece.

        A failure before the first piece becomes an error answer. After it, the
        body carries the exception between tags, as a ClickHouse server's does, and
        its last chunk is missing, so that no client takes the part for the whole.
        """
        with closing(answer.pieces):
            first = next(answer.pieces, b"")
            second = next(answer.pieces, None)
            tag = secrets.token_hex(8)
            headers = {
                "Content-Type": "application/octet-stream",
                "X-ClickHouse-Query-Id": ask.query_id or str(uuid.uuid4()),
                "X-ClickHouse-Timezone": "UTC",
                "X-ClickHouse-Summary": json.dumps({k: str(v) for k, v in answer.summary.items()}),
                "X-ClickHouse-Exception-Tag": tag,
            } | ({"X-ClickHouse-Format": ask.format} if answer.has_result else {})
            if second is None:
                self._send(200, first, headers)
                return
            self._send_head(200, headers | {"Transfer-Encoding": "chunked"})
            try:
                for piece in chain((first, second), answer.pieces):
                    self._send_chunk(piece)
            except Failure as failure:
                text = f"{failure}\n".encode()
                mark = b"\r\n__exception__\r\n%b\r\n" % tag.encode()
                end = b"%d %b\r\n__exception__\r\n" % (len(text), tag.encode())
                self._send_chunk(mark + text + end)
                self.close_connection = True
                return
            self.wfile.write(b"0\r\n\r\n")

    def _refuse(self, failure: Failure, status: int | None = None) -> None:
        self.close_connection = True  # the body may be unread
        self._send(
            status or failure.status,
            f"{failure}\n".encode(),
            {
                "X-ClickHouse-Exception-Code": str(failure.code),
                "Content-Type": "text/plain; charset=UTF-8",
                "Connection": "close",
            },
        )

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self._send_head(status, {**(headers or {}), "Content-Length": str(len(body))})
        self.wfile.write(body)

    def _send_head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_chunk(self, piece: bytes) -> None:
        if piece:
            self.wfile.write(b"%x\r\n" % len(piece))
            self.wfile.write(piece)
            self.wfile.write(b"\r\n")
