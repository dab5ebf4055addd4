"""Copy a PostgreSQL database into a file at one instant, and back.

Row-level security is forced on the tenants' tables, so the copy is made by a role
that it does not bind: the superuser of the embedded engine, or the role that
`BACKUP_DATABASE_URL` names.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.errors import LockNotAvailable

from cdp.engines import postgres
from cdp.engines.binaries import postgres_home
from cdp.engines.errors import EngineError
from cdp.engines.place import Place
from cdp.engines.urls import parse_database_url, postgres_url

GATE_SECONDS = 900
# New writers queue behind us while we wait for a long one: never for longer than this.
PATIENCE = "2s"

EMPTY = """
DROP SCHEMA public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""
OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@dataclass
class Instant:
    """One moment of a database, while writers that ask at the gate are held off."""

    connection: Any
    gate: int
    snapshot: str

    def open_gate(self) -> None:
        """Let the writers go on; the moment itself stays readable."""
        self.connection.cursor().execute("SELECT pg_advisory_unlock(%s)", [self.gate])


def backup_url(place: Place, database: str) -> str:
    """Return the address by which all rows can be read and written."""
    given = os.environ.get("BACKUP_DATABASE_URL")
    if given:
        return given
    if not (place.root / "secrets" / f"postgres-{postgres.ADMIN}").exists():
        raise EngineError(
            "Row-level security hides rows from the application's role: set BACKUP_DATABASE_URL "
            "to a superuser, or to a role with BYPASSRLS that may also restore."
        )
    return postgres_url(place, role=postgres.ADMIN, database=database)


@contextmanager
def instant(url: str, gate: int) -> Iterator[Instant]:
    """Hold a moment of the database, with the gate closed until it is opened or the block ends.

    The gate is closed before the moment is chosen: who passed it has written by then.
    """
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        _close_gate(connection, gate)
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_export_snapshot()")
            (snapshot,) = cursor.fetchone()
        yield Instant(connection, gate, snapshot)
    finally:
        connection.close()


def dump(url: str, snapshot: str, file: Path, place: Place) -> None:
    """Write the database, as it was at the moment of the snapshot, into a file."""
    command = ("pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={file}")
    _run(place, url, *command)


def restore(url: str, file: Path, place: Place) -> None:
    """Put a dump in the place of whatever the database holds now.

    Raises `EngineError` before anything is touched if somebody else is connected.
    """
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(OTHERS)
            (others,) = cursor.fetchone()
            if others:
                raise EngineError(
                    f"{others} other sessions use the database: stop the web server and the workers first."
                )
            cursor.execute(EMPTY)
    finally:
        connection.close()
    _run(
        place, url, "pg_restore", "--exit-on-error", "--single-transaction", str(file), "--dbname="
    )


def _close_gate(connection: Any, gate: int) -> None:
    deadline = time.monotonic() + GATE_SECONDS
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [PATIENCE])
        while time.monotonic() < deadline:
            with suppress(LockNotAvailable):
                cursor.execute("SELECT pg_advisory_lock(%s)", [gate])
                return
            time.sleep(1)
    raise EngineError("Writes into the event store do not pause; try the backup again later.")


def _run(place: Place, url: str, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs; the password goes by the environment, not for all to see."""
    to = parse_database_url(url)
    names = {"NAME": "PGDATABASE", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "HOST": "PGHOST"}
    names["PORT"] = "PGPORT"
    environment = {variable: to[name] for name, variable in names.items() if to[name]}
    environment |= {f"PG{name.upper()}": value for name, value in to["OPTIONS"].items()}
    arguments = tuple(
        f"--dbname={to['NAME']}" if argument == "--dbname=" else argument for argument in arguments
    )
    done = subprocess.run(
        [str(postgres_home(place) / "bin" / program), "--no-password", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise EngineError(f"{program} failed: {done.stderr.strip()}")
