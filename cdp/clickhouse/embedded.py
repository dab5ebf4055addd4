"""The embedded event store: one process that holds chDB and answers like a ClickHouse server.

A chDB directory can be opened by one process only, and the platform has several;
they all speak to this one over HTTP, as they would to a server. It is the only
module that imports chdb, and it is started, never imported.
"""

import argparse
import os
import queue
import re
import resource
import signal
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

os.environ["TZ"] = "UTC"  # the engine's time zone is its process's

import chdb
from chdb.state.sqlitelike import Connection, StreamingResult

from cdp.clickhouse.gateway.arrow import join_streams
from cdp.clickhouse.gateway.ask import Ask
from cdp.clickhouse.gateway.failure import Failure, from_engine
from cdp.clickhouse.gateway.querylog import QueryLog
from cdp.clickhouse.gateway.server import Answer, Gateway, whole

CONNECTIONS = 16
FILES_NEEDED = 4096  # a wide part of a JSON column is hundreds of open files
STOP_SECONDS = 15
# As many places for merges and deletions as a server has, on two threads. With the four
# of a bare chDB a deletion from 240 parts takes 38 s, with these about 2.
BACKGROUND = (
    "background_pool_size=2&background_merges_mutations_concurrency_ratio=16"
    "&background_schedule_pool_size=16"
)
# The engine encodes each block for itself; put together, these read as one result.
JOINABLE = {"native", "tabseparated", "tsv", "csv", "rowbinary", "jsoneachrow", "arrowstream"}
READS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:SELECT|WITH|\()", re.I | re.S)
NOT_STREAMED = "Streaming query is not supported"
# What they change would stay on the connection and meet the next request.
STICKY = ("SET", "USE", "CREATE TEMPORARY", "BEGIN", "COMMIT", "ROLLBACK")


class ChdbStore:
    """A chDB directory with a pool of connections.

    A connection does one thing at a time, so a look-up of 5 ms would wait behind a
    scan on the same one: each request borrows its own.
    """

    def __init__(self, directory: Path, backups: Path, log: QueryLog) -> None:
        self._address = f"{directory}?backups.allowed_path={backups}&{BACKGROUND}"
        self._log = log
        self._pool: queue.LifoQueue[Connection] = queue.LifoQueue()
        for _ in range(CONNECTIONS):
            self._pool.put(self._connect())

    def answer(self, ask: Ask, data: Iterable[bytes]) -> Answer:
        """Run one statement on a connection of its own."""
        self._log.note(ask)
        if ask.statement.upper().startswith(STICKY):
            raise Failure(48, "NOT_IMPLEMENTED", "There are no sessions; settings go with a query")
        with ExitStack() as held:
            connection = held.enter_context(self._borrowed(ask))
            if ask.insert_format:
                return _insert(connection, ask, data)
            stream = _stream(connection, ask)
            if stream is None:
                return _query(connection, ask)
            return Answer(_blocks(stream, ask.format, held.pop_all()))

    def close(self) -> None:
        """Wait for what is running, then close every connection; the last one writes all out."""
        for _ in range(CONNECTIONS):
            with suppress(queue.Empty):
                self._pool.get(timeout=STOP_SECONDS).close()

    def _connect(self) -> Connection:
        return chdb.connect(self._address)  # type: ignore[no-untyped-call,no-any-return]

    @contextmanager
    def _borrowed(self, ask: Ask) -> Iterator[Connection]:
        """Lend a connection with the request's database and settings, and take them off again."""
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
            if isinstance(error, RuntimeError):
                raise from_engine(error) from error
            raise
        finally:
            self._pool.put(connection)


def _insert(connection: Connection, ask: Ask, data: Iterable[bytes]) -> Answer:
    insert = connection.send_insert(ask.statement, ask.insert_format)
    try:
        for piece in filter(None, data):
            insert.append(piece)  # type: ignore[no-untyped-call]
        done = insert.finish()
    finally:
        insert.cancel()  # type: ignore[no-untyped-call] # does nothing after finish()
    summary = {"written_rows": done.rows_written, "written_bytes": done.bytes_written}
    return Answer(whole(b""), summary, has_result=False)


def _query(connection: Connection, ask: Ask) -> Answer:
    result = connection.query(ask.statement, ask.format, params=ask.parameters)
    body = bytes(result.bytes())
    summary = {"read_rows": result.rows_read(), "written_rows": result.rows_written()}
    return Answer(whole(body), summary, has_result=bool(body))


def _stream(connection: Connection, ask: Ask) -> StreamingResult | None:
    """Begin to stream a result, or return None for what the engine gives only as a whole.

    Only what reads is tried: a RESTORE that the engine refuses to stream has begun already.
    """
    if ask.format.lower() not in JOINABLE or not READS.match(ask.statement):
        return None
    try:
        return connection.send_query(ask.statement, ask.format, params=ask.parameters)
    except RuntimeError as error:
        if NOT_STREAMED in str(error):
            return None
        raise


def _blocks(stream: StreamingResult, form: str, held: ExitStack) -> Generator[bytes]:
    with held, stream:
        blocks = (bytes(block.bytes()) for block in stream)
        yield from join_streams(blocks) if form.lower() == "arrowstream" else blocks


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


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


def main() -> None:
    """Open the store, answer until told to stop, close it."""
    parser = argparse.ArgumentParser(prog="python -m cdp.clickhouse.embedded")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--backups", type=Path, required=True, help="BACKUP may write here")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--password-file", type=Path, required=True)
    parser.add_argument("--query-log", type=Path, help="note every query here, for tests")
    said = parser.parse_args()
    os.umask(0o077)
    raise_file_limit()
    store = ChdbStore(said.data, said.backups, QueryLog(said.query_log))
    gateway = Gateway(said.port, said.password_file.read_text().strip(), store)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=gateway.shutdown).start())
    gateway.serve_forever(poll_interval=0.1)
    gateway.server_close()
    store.close()


if __name__ == "__main__":
    main()
