"""The embedded event store: one process that holds chDB and answers like a ClickHouse server.

A chDB directory can be opened by one process only, and the platform has several;
they all speak to this one over HTTP, as they would to a server. It is the only
module that imports chdb, and it is started, never imported.
"""

import argparse
import os
import queue
import resource
import signal
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

os.environ["TZ"] = "UTC"  # the engine's time zone is its process's

import chdb  # noqa: E402

from cdp.clickhouse.gateway.arrow import join_streams  # noqa: E402
from cdp.clickhouse.gateway.ask import Ask  # noqa: E402
from cdp.clickhouse.gateway.failure import Failure, from_engine  # noqa: E402
from cdp.clickhouse.gateway.querylog import QueryLog  # noqa: E402
from cdp.clickhouse.gateway.server import Answer, Gateway, whole  # noqa: E402

CONNECTIONS = 16
FILES_NEEDED = 4096  # a wide part of a JSON column is hundreds of open files
STOP_SECONDS = 15
# The engine encodes each block for itself; put together, these read as one result.
JOINABLE = {"native", "tabseparated", "tsv", "csv", "rowbinary", "jsoneachrow", "arrowstream"}


class ChdbStore:
    """A chDB directory with a pool of connections.

    A connection does one thing at a time, so a look-up of 5 ms would wait behind a
    scan on the same one: each request borrows its own.
    """

    def __init__(self, directory: Path, log: QueryLog) -> None:
        self._directory, self._log = directory, log
        self._pool: queue.LifoQueue[chdb.state.sqlitelike.Connection] = queue.LifoQueue()
        for _ in range(CONNECTIONS):
            self._pool.put(self._connect())

    def answer(self, ask: Ask, data: Iterable[bytes]) -> Answer:
        """Run one statement on a connection of its own."""
        self._log.note(ask)
        if ask.insert_format:
            return self._insert(ask, data)
        pieces = self._select(ask)
        first = next(pieces)  # a failure at the start is raised here, before any answer
        return first if isinstance(first, Answer) else Answer(_after(first, pieces))

    def close(self) -> None:
        """Wait for what is running, then close every connection; the last one writes all out."""
        for _ in range(CONNECTIONS):
            with suppress(queue.Empty):
                self._pool.get(timeout=STOP_SECONDS).close()

    def _connect(self) -> "chdb.state.sqlitelike.Connection":
        return chdb.connect(str(self._directory))

    def _insert(self, ask: Ask, data: Iterable[bytes]) -> Answer:
        with self._connection(ask) as connection:
            insert = connection.send_insert(ask.statement, ask.insert_format)
            try:
                for piece in data:
                    if piece:
                        insert.append(piece)
                done = insert.finish()
            finally:
                insert.cancel()  # does nothing after finish()
        return Answer(
            whole(b""),
            {"written_rows": done.rows_written, "written_bytes": done.bytes_written},
            False,
        )

    def _select(self, ask: Ask) -> Generator[bytes | Answer]:
        with self._connection(ask) as connection:
            stream = self._stream(connection, ask)
            if stream is None:
                result = connection.query(ask.statement, ask.format, params=ask.parameters)
                body = result.bytes()
                summary = {"read_rows": result.rows_read(), "written_rows": result.rows_written()}
                yield Answer(whole(bytes(body)), summary, has_result=bool(body))
                return
            blocks = (bytes(block.bytes()) for block in stream)
            with stream:
                yield b""
                yield from join_streams(blocks) if ask.format.lower() == "arrowstream" else blocks

    def _stream(self, connection: "chdb.state.sqlitelike.Connection", ask: Ask) -> object | None:
        if ask.format.lower() not in JOINABLE:
            return None
        try:
            return connection.send_query(ask.statement, ask.format, params=ask.parameters)
        except RuntimeError as error:
            if "Streaming query is not supported" in str(error):
                return None
            raise

    @contextmanager
    def _connection(self, ask: Ask) -> Iterator["chdb.state.sqlitelike.Connection"]:
        connection = self._pool.get()
        try:
            if ask.database:
                connection.query(f"USE `{ask.database.replace('`', '``')}`")
            if ask.settings:
                values = (f"{name} = {_quoted(value)}" for name, value in ask.settings.items())
                connection.query(f"SET {', '.join(values)}")
            yield connection
            if ask.settings:
                connection.query(f"SET {', '.join(f'{name} = DEFAULT' for name in ask.settings)}")
        except BaseException as error:
            with suppress(Exception):
                connection.close()  # its settings and streams are in doubt
            connection = self._connect()
            if isinstance(error, (RuntimeError, chdb.ChdbError)):
                raise from_engine(error) from error
            raise
        finally:
            self._pool.put(connection)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _after(first: bytes, rest: Generator[bytes | Answer]) -> Generator[bytes]:
    try:
        yield first
        yield from rest
    finally:
        rest.close()


def main() -> None:
    """Open the store, answer until told to stop, close it."""
    parser = argparse.ArgumentParser(prog="python -m cdp.clickhouse.embedded", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--password-file", type=Path, required=True)
    parser.add_argument("--query-log", type=Path)
    said = parser.parse_args()
    os.umask(0o077)
    raise_file_limit()
    store = ChdbStore(said.data, QueryLog(said.query_log))
    gateway = Gateway(said.port, said.password_file.read_text().strip(), store)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=gateway.shutdown).start())
    gateway.serve_forever(poll_interval=0.1)
    gateway.server_close()
    store.close()


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us, and refuse to run with too few.

    With 1,024 a merge of a hundred distinct paths fails, hours after the inserts.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1_048_576 if most == resource.RLIM_INFINITY else most
    if wanted < FILES_NEEDED:
        sys.exit(
            f"The event store needs {FILES_NEEDED} open files and the system allows {wanted}: "
            f"raise the hard limit (ulimit -Hn {FILES_NEEDED}), or set CLICKHOUSE_URL to a server."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


if __name__ == "__main__":
    main()
