"""Do the two stores agree? Each app says how to tell for what it writes into both."""

from collections.abc import Callable, Iterable, Iterator

from cdp.clickhouse.budgets import MAINTENANCE
from cdp.clickhouse.connection import connected
from cdp.clickhouse.deduplication import verify_deduplication
from cdp.clickhouse.errors import StoreRefused
from cdp.clickhouse.migrator import pending
from cdp.clickhouse.schema import tables
from cdp.tenancy.models import Sandbox

Check = Callable[[], Iterable[str]]  # yields a sentence for each disagreement

_checks: dict[str, Check] = {}


def register(name: str, check: Check) -> None:
    """Add one app's check. Raises `ValueError` if the name is taken."""
    if name in _checks:
        raise ValueError(f"{name} has registered already")
    _checks[name] = check


def disagreements() -> Iterator[tuple[str, str]]:
    """Yield the name of a check and a sentence for all that is wrong."""
    for name, check in {"migrations": _migrations, "sandboxes": _sandboxes, **_checks}.items():
        for sentence in check():
            yield name, sentence
    try:
        verify_deduplication()
    except StoreRefused as refusal:
        yield "deduplication", refusal.detail


def _migrations() -> Iterator[str]:
    for migration in pending():
        yield f"The event store lacks migration {migration.number:04} {migration.name}."


def _sandboxes() -> Iterator[str]:
    known = set(Sandbox.objects.values_list("pk", flat=True))
    with connected(MAINTENANCE) as client:
        for table in sorted(tables()):
            rows = client.query(f"SELECT sandbox_id, count() FROM {table} GROUP BY 1").result_rows
            for number, count in rows:
                if number not in known:
                    yield f"{table} has {count} rows of sandbox {number}, which does not exist."
