"""Somebody else's PostgreSQL database: a new one of the session's server, reached over TCP."""

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
from django.conf import settings


@contextmanager
def postgres_database(name: str) -> Iterator[tuple[Any, str]]:
    """Make a database; yield a connection to it, and its URL."""
    known = settings.DATABASES["default"]
    address = {"host": known["HOST"], "port": known["PORT"] or 5432, "user": known["USER"]}
    address = {**address, "password": known["PASSWORD"]}
    home = _connect(dbname="postgres", **address)
    _execute(home, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    _execute(home, f"CREATE DATABASE {name}")
    connection = _connect(dbname=name, **address)
    try:
        with _over_tcp(known["HOST"], int(address["port"])) as port:
            yield connection, f"postgresql+psycopg2://{known['USER']}@127.0.0.1:{port}/{name}"
    finally:
        connection.close()
        _execute(home, f"DROP DATABASE {name} WITH (FORCE)")
        home.close()


def _connect(**address: Any) -> Any:
    connection = psycopg2.connect(**{name: value for name, value in address.items() if value})
    connection.autocommit = True
    return connection


def _execute(connection: Any, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def _over_tcp(host: str, port: int) -> Iterator[int]:
    """Pass TCP connections on to the server's private socket."""

    class Passage(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as inner, suppress(OSError):
                inner.connect(f"{host}/.s.PGSQL.{port}")
                pairs = {self.request: inner, inner: self.request}
                while True:
                    for source in select.select(list(pairs), [], [])[0]:
                        data = source.recv(65_536)
                        if not data:
                            return
                        pairs[source].sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Passage) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()
