"""Tables and views of SQL databases, whole or by what is new in a column."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import NoSuchModuleError, NoSuchTableError, SQLAlchemyError

from cdp.datasets.enums import FileFormat
from cdp.datasets.sources.base import (
    OVERLAP,
    PREVIEW_ROWS,
    Column,
    Entry,
    Part,
    Pull,
    Sample,
    SourceError,
    SourceType,
    Window,
)
from cdp.datasets.sources.reach import address_of
from cdp.datasets.sources.sql_delta import Delta
from cdp.datasets.sources.sql_rows import json_row, type_name
from cdp.outgoing.accounts import Account

_AT_ONCE: Final = 2_000
_SECONDS: Final = 15
# What a URL may say of a connection; the others could name local files or another host.
_OPTIONS: Final = frozenset(
    {"sslmode", "charset", "encrypt", "driver", "warehouse", "role", "application_name"}
)
_LOCAL: Final = frozenset({"sqlite", "duckdb", "access", "shillelagh"})


class SqlDatabase(SourceType):
    """Any database that SQLAlchemy speaks to."""

    kind = "sql"
    title = "SQL database"
    description = "Tables and views of PostgreSQL, MySQL, SQL Server, Oracle, Snowflake and others."
    category = "Databases"
    settings_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["url"],
        "additionalProperties": False,
        "properties": {
            "url": {
                "type": "string",
                "maxLength": 1000,
                "title": "SQLAlchemy URL",
                "description": "postgresql+psycopg2://reader@db.example.com:5432/shop",
            },
            "password": {"type": "string", "maxLength": 1000, "writeOnly": True},
        },
    }
    selection_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["table"],
        "additionalProperties": False,
        "properties": {
            "table": {"type": "string", "description": "orders, or shop.orders"},
            "columns": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "delta_column": {
                "type": "string",
                "description": "A column that grows: only rows behind the last one are read.",
            },
            "overlap_seconds": OVERLAP,
        },
    }
    sent_secrets: ClassVar[Mapping[str, str]] = {"password": "url"}

    @classmethod
    def checked(cls, account: Account) -> Account:
        _url(account)
        return account

    def test(self) -> str:
        with self._connected() as connection:
            connection.execute(sa.text("SELECT 1"))
            names = sa.inspect(connection).get_table_names()
        return f"Connected; the default schema has {len(names)} tables."

    def explore(self, path: str) -> list[Entry]:
        with self._connected() as connection:
            inspector = sa.inspect(connection)
            if not path:
                return [Entry("folder", name, name) for name in inspector.get_schema_names()]
            names = [*inspector.get_table_names(path), *inspector.get_view_names(path)]
        return [Entry("table", name, f"{path}.{name}") for name in sorted(names)]

    def preview(self, selection: Mapping[str, Any]) -> Sample:
        with self._connected() as connection:
            table = _reflected(connection, selection)
            columns = _columns(table, selection)
            result = connection.execute(sa.select(*columns).limit(PREVIEW_ROWS))
            rows = [json_row(row) for row in result.mappings()]
        return Sample([Column(each.name, type_name(each)) for each in columns], rows)

    def pull(self, selection: Mapping[str, Any], window: Window) -> Pull:
        pull = Pull(iter(()), FileFormat.JSON_LINES)
        pull.parts = self._parts(selection, window, pull)
        return pull

    def _parts(self, selection: Mapping[str, Any], window: Window, pull: Pull) -> Iterator[Part]:
        with self._connected() as connection:
            table = _reflected(connection, selection)
            query = sa.select(*_columns(table, selection))
            delta = _delta(table, selection, window)
            if delta is not None:
                query = delta.limit(connection, query)
            rows = connection.execution_options(stream_results=True, yield_per=_AT_ONCE)
            yield Part(f"{table.name}.jsonl", _lines(rows.execute(query), delta))
            pull.marker = delta.marker() if delta is not None else window.marker

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        url = _url(self.account)
        try:
            engine = sa.create_engine(
                _pinned(url), poolclass=sa.NullPool, connect_args=_arguments(url)
            )
        except (NoSuchModuleError, ImportError) as error:
            detail = f"This installation has no driver for '{url.drivername}'."
            raise SourceError(detail, permanent=True) from error
        with _translated(), engine.connect() as connection:
            yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        # The driver's own message: the statement around it says nothing to the owner.
        detail = str(getattr(error, "orig", None) or error).partition("\n")[0][:300]
        raise SourceError(detail) from error


def _url(account: Account) -> URL:
    try:
        url = sa.make_url(str(account.get("url")))
    except SQLAlchemyError as error:
        raise ValueError("This is no SQLAlchemy URL.") from error
    if url.get_backend_name() in _LOCAL or not url.host:
        raise ValueError("Name the host of a database server in the URL.")
    if url.password:
        raise ValueError("Put the password into 'password', where it is kept encrypted.")
    unknown = set(url.query) - _OPTIONS
    if unknown:
        raise ValueError(f"The URL may not set '{min(unknown)}'.")
    return url.set(password=account.get("password"))


def _pinned(url: URL) -> URL:
    """Return the URL with the address that was checked in place of the name."""
    if url.get_driver_name() == "psycopg2":
        return url  # takes the address beside the name, which TLS still wants to see
    return url.set(host=address_of(str(url.host), url.port or 0))


def _arguments(url: URL) -> dict[str, Any]:
    if url.get_driver_name() != "psycopg2":
        return {}
    return {
        "hostaddr": address_of(str(url.host), url.port or 5432),
        "connect_timeout": _SECONDS,
        "passfile": os.devnull,  # never a password of ours, if none was given
    }


def _reflected(connection: Connection, selection: Mapping[str, Any]) -> sa.Table:
    schema, _, name = str(selection["table"]).rpartition(".")
    try:
        return sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=connection)
    except NoSuchTableError as error:
        detail = f"There is no table '{selection['table']}'."
        raise SourceError(detail, permanent=True) from error


def _columns(table: sa.Table, selection: Mapping[str, Any]) -> list[sa.Column[Any]]:
    wanted = selection.get("columns") or [column.name for column in table.columns]
    return [_column(table, name) for name in wanted]


def _delta(table: sa.Table, selection: Mapping[str, Any], window: Window) -> Delta | None:
    name = selection.get("delta_column")
    if not name:
        return None
    overlap = timedelta(seconds=selection.get("overlap_seconds", 0))
    return Delta(_column(table, str(name)), window, overlap)


def _column(table: sa.Table, name: str) -> sa.Column[Any]:
    if name not in table.columns:
        raise SourceError(f"'{table.name}' has no column '{name}'.", permanent=True)
    return table.columns[name]


def _lines(result: sa.CursorResult[Any], delta: Delta | None) -> Iterator[bytes]:
    # Read while the file is written, which is no longer inside `_connected`.
    with _translated():
        for block in result.mappings().partitions(_AT_ONCE):
            lines = []
            for row in block:
                line = orjson.dumps(json_row(row), option=orjson.OPT_APPEND_NEWLINE)
                if delta is None or delta.is_new(row, line):
                    lines.append(line)
            yield b"".join(lines)
