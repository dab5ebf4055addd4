"""Read from and write to the event store, inside one sandbox.

The only way for the rest of the project. Each call names its sandbox; the text of
a query is checked and the store is told to filter every table besides.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import orjson
import pyarrow as pa
from django.conf import settings
from urllib3.exceptions import HTTPError

from cdp.clickhouse import fence, sql
from cdp.clickhouse.budgets import (
    FULL,
    LOOKUP,
    MAINTENANCE,
    POINT,
    STREAMING,
    TENANT_SQL,
    Budget,
)
from cdp.clickhouse.connection import connected
from cdp.clickhouse.errors import QueryNotFenced, StoreUnavailable
from cdp.clickhouse.gate import writing
from cdp.clickhouse.schema import for_mutation, tables

__all__ = [
    "FULL", "LOOKUP", "MAINTENANCE", "POINT", "STREAMING", "TENANT_SQL",
    "execute", "fetch", "fetch_text", "insert", "stream", "stream_arrow",
]  # fmt: skip

MOST_ROWS_A_TOKEN = 100_000
# The store holds some twenty blocks of a stream: small ones, for rows that may be wide.
STREAMED = {"max_block_size": 4096}
# Looking for comparisons that follow from others takes more time than all the rest of analysing
# a scan of fifty rules, and finds nothing: windows are compared with constants.
_ANALYSIS = {"optimize_and_compare_chain": 0}


class HasId(Protocol):
    """A sandbox, as far as the store knows one."""

    @property
    def pk(self) -> Any:
        """Its number."""


def fetch(
    package: str,
    name: str,
    *,
    sandbox: HasId,
    params: Mapping[str, Any] | None = None,
    budget: Budget = LOOKUP,
) -> list[dict[str, Any]]:
    """Run `<package>/sql/<name>.sql` and return its rows by column name."""
    with connected(budget) as client:
        result = client.query(
            sql.load(package, name),
            parameters=_parameters(sandbox, params),
            settings=_settings(sandbox, budget),
        )
        return list(result.named_results())


def fetch_text(
    text: str,
    *,
    sandbox: HasId,
    params: Mapping[str, Any] | None = None,
    budget: Budget,
) -> list[tuple[Any, ...]]:
    """Run a query that a module of ours has generated, behind the same fences."""
    fence.check(text, tables())
    with connected(budget) as client:
        result = client.query(
            text, parameters=_parameters(sandbox, params), settings=_settings(sandbox, budget)
        )
        return [tuple(row) for row in result.result_rows]


def stream(
    text: str,
    *,
    sandbox: HasId,
    params: Mapping[str, Any] | None = None,
    budget: Budget = FULL,
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a generated query in blocks, holding one block at a time."""
    fence.check(text, tables())
    with (
        connected(budget) as client,
        client.query_row_block_stream(
            text,
            parameters=_parameters(sandbox, params),
            settings=_settings(sandbox, budget) | STREAMED,
        ) as blocks,
    ):
        for block in blocks:
            yield [tuple(row) for row in block]


def stream_arrow(
    text: str,
    *,
    sandbox: HasId,
    params: Mapping[str, Any] | None = None,
    budget: Budget = FULL,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a generated query as Arrow batches, for files and exports."""
    fence.check(text, tables())
    with connected(budget) as client:
        source = client.raw_stream(
            text,
            parameters=_parameters(sandbox, params),
            settings=_settings(sandbox, budget) | STREAMED,
            fmt="ArrowStream",
        )
        try:
            with source, pa.ipc.open_stream(source) as reader:
                yield from reader
        except (HTTPError, pa.ArrowInvalid) as error:
            raise StoreUnavailable(
                "The event store broke off in the middle of the answer."
            ) from error


def insert(
    table: str, rows: Iterable[Mapping[str, Any]] | bytes, *, sandbox: HasId, token: str
) -> None:
    """Write rows of one sandbox; the same token again writes nothing.

    `rows` are mappings, or JSON lines as bytes that go through as they are: their
    `sandbox_id` is then for the caller to have set. On the disk when this returns.
    At most 100,000 rows a token, and always the same rows under one token: other
    rows would be dropped without a word.
    """
    if table not in tables():
        raise QueryNotFenced(f"{table} is not one of our tables.")
    body = rows if isinstance(rows, bytes) else _json_lines(rows, sandbox)
    if body.count(b"\n") > MOST_ROWS_A_TOKEN:
        raise ValueError(f"More than {MOST_ROWS_A_TOKEN} rows under one token.")
    with writing(), connected(STREAMING) as client:
        client.raw_insert(
            table,
            insert_block=body,
            fmt="JSONEachRow",
            settings={"insert_deduplication_token": _token(sandbox, token)},
        )


def execute(
    text: str,
    *,
    sandbox: HasId,
    params: Mapping[str, Any] | None = None,
    token: str | None = None,
    budget: Budget = FULL,
) -> None:
    """Run an INSERT ... SELECT or a deletion; with a token, an insert happens once."""
    fence.check(text, tables())
    chosen = _settings(sandbox, budget)
    if token is None:
        chosen["insert_deduplicate"] = 0  # or rows equal to earlier ones would be dropped
    else:
        chosen["insert_deduplication_token"] = _token(sandbox, token)
    with writing(), connected(budget) as client:
        # Unlike `command`, this sends parameters as a form when they are too long for an address.
        client.raw_query(
            for_mutation(text, settings.CLICKHOUSE_CLUSTER),
            parameters=_parameters(sandbox, params),
            settings=chosen,
        )


def _token(sandbox: HasId, token: str) -> str:
    """Return the token as the store sees it: a table is shared, a token is a sandbox's own."""
    return f"{sandbox.pk}:{token}"


def _parameters(sandbox: HasId, params: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**(params or {}), "sandbox": sandbox.pk}


def _settings(sandbox: HasId, budget: Budget) -> dict[str, Any]:
    names = tables()
    if settings.CLICKHOUSE_CLUSTER:
        names |= {f"{name}_local" for name in names}
    filters = fence.engine_filter(sandbox.pk, names)
    return {**budget.limits(), **_ANALYSIS, "additional_table_filters": filters}


def _json_lines(rows: Iterable[Mapping[str, Any]], sandbox: HasId) -> bytes:
    options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
    return b"".join(orjson.dumps({**row, "sandbox_id": sandbox.pk}, option=options) for row in rows)
