"""The partitions of event keys: one a month, made in time and dropped whole."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from cdp.tenancy.rls import sandbox_policies

LONGEST: Final = timedelta(days=730)  # for as long as a dataset may look for repetitions
_NAME: Final = "profiles_eventkey_{:%Y_%m}"
_EXIST = "SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest(%s) AS wanted(name)"
# Whoever waits to drop a partition lets nobody pass.
_PATIENCE = "SET LOCAL lock_timeout = '2s'"
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('profiles.months'), 0)"
# A partition can be named directly, so it is fenced like any tenant's table.
_CREATE = """
CREATE TABLE {name} PARTITION OF profiles_eventkey
    FOR VALUES FROM ('{since}') TO ('{until}');
"""
_PARTITIONS = """
SELECT child.relname FROM pg_inherits
JOIN pg_class AS child ON child.oid = inhrelid
WHERE inhparent = 'profiles_eventkey'::regclass ORDER BY child.relname
"""


def month_of(day: date) -> date:
    """Return the first day of the month."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def ensure(day: date) -> None:
    """Make the partitions of this month and the next, before anybody needs them.

    Call it outside of transactions: making a partition locks the table for a moment.
    """
    month = month_of(day)
    wanted = (month, next_month(month))
    if _exist(wanted):
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK)
        for missing in [month for month in wanted if not _exist([month])]:
            name = _NAME.format(missing)
            cursor.execute(_CREATE.format(name=name, since=missing, until=next_month(missing)))
            cursor.execute(sandbox_policies(name))


def drop_old() -> None:
    """Drop the months whose keys no dataset asks for any more; run once a day."""
    drop_before((timezone.now() - LONGEST).date())


def drop_before(day: date) -> list[str]:
    """Drop the months that ended before this day; return their tables' names."""
    oldest = _NAME.format(month_of(day))
    gone = [name for name in _partitions() if name < oldest]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PATIENCE)
        for name in gone:
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(name)}")
    return gone


def _exist(months: Iterable[date]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_EXIST, [[_NAME.format(month) for month in months]])
        return bool(cursor.fetchone() == (True,))


def _partitions() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS)
        yield from [name for (name,) in cursor.fetchall()]
