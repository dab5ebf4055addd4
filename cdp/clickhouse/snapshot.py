"""Copy the event store's tables at one instant, and back.

A clone of a table shares its files and takes milliseconds, so the instant is
short; the clones are then copied at leisure with ClickHouse's own BACKUP.
"""

import os
import shutil
import time
from pathlib import Path
from uuid import uuid4

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from django.conf import settings

from cdp.clickhouse.budgets import MAINTENANCE
from cdp.clickhouse.connection import connected
from cdp.clickhouse.errors import StoreRefused
from cdp.clickhouse.schema import tables

CLONE = "backup_"
_STATE = "SELECT status, error FROM system.backups WHERE id = {operation:String}"
_TAKEN_FOR_ITSELF = "code: 216"
_DONE = {"BACKUP_CREATED", "RESTORED"}
_UNDER_WAY = {"CREATING_BACKUP", "RESTORING"}
NO_LIMIT = {"max_table_size_to_drop": 0, "max_partition_size_to_drop": 0}


def freeze() -> None:
    """Clone every table. For the moment in which nobody writes."""
    _refuse_cluster()
    thaw()  # what a backup that was cut off has left
    with connected(MAINTENANCE) as client:
        for table in _all():
            client.command(f"CREATE TABLE {CLONE}{table} CLONE AS {table}")


def thaw() -> None:
    """Drop the clones."""
    with connected(MAINTENANCE) as client:
        for table in _all():
            client.command(f"DROP TABLE IF EXISTS {CLONE}{table} SYNC", settings=NO_LIMIT)


def save(name: str, directory: Path) -> dict[str, int]:
    """Write the clones out under their tables' names, and return how many rows each has.

    The embedded store writes into its exchange folder, from where the files move
    to `directory`. A server writes where `CLICKHOUSE_BACKUP_TO` says.
    """
    destination = _destination(name)
    copies = ", ".join(f"TABLE {CLONE}{table} AS {table}" for table in _all())
    with connected(MAINTENANCE) as client:
        counts = {
            table: int(str(client.command(f"SELECT count() FROM {CLONE}{table}")))
            for table in _all()
        }
        _carry_out(client, f"BACKUP {copies} TO {destination}")
    if not settings.CLICKHOUSE_BACKUP_TO:
        shutil.move(_exchange() / name, directory)
    return counts


def load(name: str, directory: Path) -> dict[str, int]:
    """Put saved tables in the place of the present ones, and return how many rows each has."""
    _refuse_cluster()
    if not settings.CLICKHOUSE_BACKUP_TO:
        shutil.rmtree(_exchange() / name, ignore_errors=True)
        shutil.copytree(directory, _exchange() / name, copy_function=_link_or_copy)
    try:
        with connected(MAINTENANCE) as client:
            for table in _all():
                client.command(f"DROP TABLE IF EXISTS {table} SYNC", settings=NO_LIMIT)
            names = ", ".join(f"TABLE {table}" for table in _all())
            _carry_out(client, f"RESTORE {names} FROM {_destination(name)}")
            return {
                table: int(str(client.command(f"SELECT count() FROM {table}"))) for table in _all()
            }
    finally:
        if not settings.CLICKHOUSE_BACKUP_TO:
            shutil.rmtree(_exchange() / name, ignore_errors=True)


def _carry_out(client: Client, statement: str) -> None:
    """Have the store back up or restore, and return when it says that this is done.

    It works in the background under an id of ours. Now and then the engine takes such a
    query for another of the same id and answers with an error, although it goes on: so
    what counts is what it says of the id. Raises `StoreRefused` with what that is.
    """
    operation = {"operation": str(uuid4())}
    try:
        client.command(f"{statement} SETTINGS id = '{operation['operation']}', async = 1")
    except DatabaseError as answer:
        if _TAKEN_FOR_ITSELF not in str(answer):
            raise
    while True:
        rows = client.query(_STATE, parameters=operation).result_rows
        state, error = rows[0] if rows else ("unknown", "")
        if state in _DONE:
            return
        if state not in _UNDER_WAY:
            raise StoreRefused(f"The event store's own backup ended as {state}. {error}".strip())
        time.sleep(0.05)


def _all() -> list[str]:
    return [*sorted(tables()), "event_migrations"]


def _destination(name: str) -> str:
    given: str = settings.CLICKHOUSE_BACKUP_TO
    if given:
        return given.replace("{name}", name)
    return "File('" + str(_exchange() / name).replace("'", "\\'") + "')"


def _exchange() -> Path:
    """Return the folder that the embedded store may write backups to."""
    folder = Path(settings.DATA_DIR) / "exchange"
    if not folder.is_dir():
        raise StoreRefused(
            "A ClickHouse server keeps its backups itself: set CLICKHOUSE_BACKUP_TO, "
            "for example to Disk('backups', '{name}')."
        )
    return folder


def _refuse_cluster() -> None:
    if settings.CLICKHOUSE_CLUSTER:
        raise StoreRefused("A cluster is backed up with ClickHouse's own BACKUP ... ON CLUSTER.")


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
