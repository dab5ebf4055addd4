"""Tables and views of SQL databases, whole or by what is new in a column."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import NoSuchModuleError, NoSuchTableError, SQLAlchemyError

from cdp.datasets.enums import FileFormat
from cdp.datasets.files.rows import Row
from cdp.datasets.mapping.convert import rfc3339
from cdp.datasets.sources.base import (
    PREVIEW_ROWS,
    Column,
    Entry,
    Marker,
    Part,
    Pull,
    Sample,
    SourceError,
    SourceType,
    Window,
)
from cdp.datasets.sources.reach import address_of
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
            rows = [_json_row(row) for row in result.mappings()]
        return Sample([Column(each.name, _type_name(each)) for each in columns], rows)

    def pull(self, selection: Mapping[str, Any], window: Window) -> Pull:
        pull = Pull(iter(()), FileFormat.JSON_LINES)
        pull.parts = self._parts(selection, window, pull)
        return pull

    def _parts(self, selection: Mapping[str, Any], window: Window, pull: Pull) -> Iterator[Part]:
        with self._connected() as connection:
            table = _reflected(connection, selection)
            query = sa.select(*_columns(table, selection))
            delta = _delta(table, selection)
            if delta is not None:
                query, pull.marker = _limited(connection, table, query, delta, window)
            rows = connection.execution_options(stream_results=True, yield_per=_AT_ONCE)
            result = rows.execute(query)
            yield Part(f"{table.name}.jsonl", _lines(result))

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        url = _url(self.account)
        try:
            engine = sa.create_engine(
                _pinned(url), poolclass=sa.NullPool, connect_args=_arguments(url)
            )
            with engine.connect() as connection:
                yield connection
        except (NoSuchModuleError, ImportError) as error:
            detail = f"This installation has no driver for '{url.drivername}'."
            raise SourceError(detail, permanent=True) from error
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


def _delta(table: sa.Table, selection: Mapping[str, Any]) -> sa.Column[Any] | None:
    name = selection.get("delta_column")
    return _column(table, str(name)) if name else None


def _column(table: sa.Table, name: str) -> sa.Column[Any]:
    if name not in table.columns:
        raise SourceError(f"'{table.name}' has no column '{name}'.", permanent=True)
    return table.columns[name]


def _limited(
    connection: Connection,
    table: sa.Table,
    query: sa.Select[Any],
    delta: sa.Column[Any],
    window: Window,
) -> tuple[sa.Select[Any], Marker | None]:
    """Limit to what is new: behind the marker, and up to the last row there is now."""
    newest = connection.execute(sa.select(sa.func.max(delta)).select_from(table)).scalar()
    after = (
        _from_marker(window.marker, delta) if window.marker else _comparable(window.since, delta)
    )
    if after is not None:
        query = query.where(delta > after)
    until = _comparable(window.until, delta)
    if until is not None:
        query = query.where(delta <= until)
    if newest is not None:
        query = query.where(delta <= newest)
    marker = window.marker if newest is None else {"value": _to_marker(newest)}
    return query.order_by(delta), marker


def _to_marker(value: Any) -> Any:
    """Write the newest value down, with all of its digits."""
    return value.isoformat() if isinstance(value, datetime | date) else _json(value)


def _from_marker(marker: Marker, delta: sa.Column[Any]) -> Any:
    value, kind = marker["value"], delta.type.python_type
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        return moment if getattr(delta.type, "timezone", False) else moment.replace(tzinfo=None)
    if kind is date:
        return date.fromisoformat(value)
    return Decimal(str(value)) if kind is Decimal else value


def _comparable(moment: datetime | None, delta: sa.Column[Any]) -> Any:
    """Return a time as the column has it: without a zone it is UTC, a number is in seconds."""
    if moment is None:
        return None
    kind = delta.type.python_type
    if kind is datetime:
        aware = getattr(delta.type, "timezone", False)
        return moment if aware else moment.astimezone(UTC).replace(tzinfo=None)
    if kind is date:
        return moment.date()
    raise SourceError(f"'{delta.name}' is no time, so a window cannot be cut.", permanent=True)


def _lines(result: sa.CursorResult[Any]) -> Iterator[bytes]:
    for block in result.mappings().partitions(_AT_ONCE):
        yield b"".join(
            orjson.dumps(_json_row(row), option=orjson.OPT_APPEND_NEWLINE) for row in block
        )


def _json_row(row: sa.RowMapping) -> Row:
    return {str(name): _json(value) for name, value in row.items() if value is not None}


def _json(value: Any) -> Any:
    match value:
        case str() | bool() | int() | float() | dict() | list() | None:
            return value
        case datetime():
            return rfc3339(value if value.tzinfo else value.replace(tzinfo=UTC))
        case date() | time():
            return value.isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case UUID():
            return str(value)
        case bytes() | memoryview():
            return bytes(value).decode("utf-8", "backslashreplace")
    return str(value)


def _type_name(column: sa.Column[Any]) -> str:
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return "string"
    names = {
        bool: "boolean", int: "integer", float: "number", Decimal: "number",
        datetime: "date-time", date: "date", dict: "object", list: "array",
    }  # fmt: skip
    return names.get(kind, "string")
