"""The connection to the event store: made once a process and class of query, errors translated."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import (
    DataError,
    Error,
    NotSupportedError,
    ProgrammingError,
)
from django.conf import settings

from cdp.clickhouse.budgets import Budget
from cdp.clickhouse.errors import from_store

CONNECT_SECONDS = 3
GRACE_SECONDS = 5  # the store ends a query by itself; this is for a store that hangs

FIXED: dict[str, Any] = {
    "date_time_input_format": "best_effort",
    # A text that looks like a date stays the text it is.
    "input_format_try_infer_dates": 0,
    "input_format_try_infer_datetimes": 0,
    # A column that the table does not have is a mistake, not something to pass over.
    "input_format_skip_unknown_fields": 0,
    # Ten years of months in one insert, each a block of its own.
    "max_partitions_per_insert_block": 150,
    "mutations_sync": 1,
    # Statements that answer many rules at once are longer than what people write.
    "max_query_size": 16 * 1024 * 1024,
    "max_ast_elements": 1_000_000,
    "max_expanded_ast_elements": 10_000_000,
}
ON_CLUSTER: dict[str, Any] = {
    "mutations_sync": 2,  # on every replica
    "distributed_foreground_insert": 1,  # acknowledged by the shard, not by a queue in front of it
    "distributed_product_mode": "global",
}


# They log, with a stack, every failure that we raise as a refusal.
for noisy in ("clickhouse_connect", "urllib3.connectionpool"):
    logging.getLogger(noisy).setLevel(logging.ERROR)


@contextmanager
def connected(budget: Budget) -> Iterator[Client]:
    """Lend the client for this class of query; its errors leave as refusals.

    Mistakes in our own calls stay what they are and travel up as bugs.
    """
    try:
        yield _client(settings.CLICKHOUSE_URL, settings.CLICKHOUSE_CLUSTER, budget.max_seconds)
    except (DataError, NotSupportedError, ProgrammingError):
        raise
    except Error as error:
        raise from_store(error, budget.name) from error


@cache
def _client(url: str, cluster: str, seconds: int) -> Client:
    return clickhouse_connect.get_client(
        dsn=url,
        connect_timeout=CONNECT_SECONDS,
        send_receive_timeout=seconds + GRACE_SECONDS,
        autogenerate_session_id=False,  # a session takes one query at a time
        query_retries=0,  # whoever asks decides; a worker's batch is tried again anyway
        compress=False,
        tz_mode="aware",
        show_clickhouse_errors="scrub",
        settings=FIXED | (ON_CLUSTER if cluster else {}),
    )
