"""The gate that every write into the event store passes, so that a backup can close it.

Both stores together have no common transaction, but they can have a common
instant: while nobody writes into the event store, PostgreSQL's snapshot and the
event store's tables are a state that a crash at that moment would have left, and
from such a state everything resumes.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.conf import settings
from django.db import connection, transaction

GATE = 0x0CD9_57E5  # the number of the advisory lock in PostgreSQL; never change it


@contextmanager
def writing() -> Iterator[None]:
    """Keep the gate open for the length of one write; wait while a backup has it closed.

    The lock ends with the transaction, or with this process if it is killed.
    """
    if not settings.CLICKHOUSE_GATE:
        yield
        return
    with ExitStack() as held:
        if not connection.in_atomic_block:
            held.enter_context(transaction.atomic())
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [GATE])
        yield
