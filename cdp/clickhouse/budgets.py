"""How much time and memory a query may use, by the class of work it belongs to."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Budget:
    """A class of queries; its figures are in `settings.CLICKHOUSE_BUDGETS`.

    `threads` is how many a query may work with, 0 for what the store gives it.
    """

    name: str
    threads: int = 0

    @property
    def max_seconds(self) -> int:
        """How long the store works on one query before it ends it."""
        return int(settings.CLICKHOUSE_BUDGETS[self.name][0])

    @property
    def max_memory(self) -> int:
        """How many bytes of memory one query may hold."""
        return int(settings.CLICKHOUSE_BUDGETS[self.name][1])

    def limits(self) -> dict[str, int | str]:
        """Return the limits as ClickHouse's settings.

        Grouping and sorting go to disk at half of the memory rather than fail at all of it.
        """
        threads: dict[str, int | str] = {"max_threads": self.threads} if self.threads else {}
        return threads | {
            "max_execution_time": self.max_seconds,
            "timeout_overflow_mode": "throw",
            "max_memory_usage": self.max_memory,
            "max_bytes_before_external_group_by": self.max_memory // 2,
            "max_bytes_before_external_sort": self.max_memory // 2,
        }


LOOKUP = Budget("lookup")  # somebody waits for the answer
POINT = Budget("lookup", threads=1)  # a few rows by their key: a second thread only costs
STREAMING = Budget("streaming")  # touched profiles of a batch
FULL = Budget("full")  # a whole sandbox
TENANT_SQL = Budget("tenant_sql")  # written by a customer
MAINTENANCE = Budget("maintenance")  # migrations, backups, erasure
