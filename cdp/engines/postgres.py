"""PostgreSQL: make the cluster, say how it is started, say whether it answers."""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import psycopg2

from cdp.engines import owner
from cdp.engines.binaries import postgres_home
from cdp.engines.errors import EngineError
from cdp.engines.place import Place
from cdp.engines.urls import postgres_url

STOP = signal.SIGINT  # the fast shutdown: end sessions, write everything, leave
ADMIN = "cdp_admin"  # the superuser; only this package uses it

SETTINGS = {
    "listen_addresses": "",  # the private socket is the only way in
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "jit": "off",  # the queries here are short
}
# For data that is thrown away anyway.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

HBA = "# Every connection comes through the private socket and brings a password.\nlocal all all scram-sha-256\n"

# The app's role owns its database and nothing else: row-level security holds for it.
ROLES = """\
ALTER ROLE {admin} PASSWORD '{admin_password}';
CREATE ROLE cdp LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE {createdb} PASSWORD '{password}';
CREATE DATABASE cdp OWNER cdp;
REVOKE ALL ON DATABASE cdp FROM PUBLIC;
"""


def prepare(place: Place, *, careless: bool = False) -> list[str]:
    """Make sure there is a cluster and nothing in the way, and return the command to run in it.

    `careless` gives up durability for speed and lets the role create databases:
    both are for tests alone.
    """
    place.open()
    home = postgres_home(place)
    if not place.postgres.exists():
        _create_cluster(place, home, createdb=careless)
    _remove_stale_lock(place)
    settings = SETTINGS | {"unix_socket_directories": str(place.sockets())}
    settings |= CARELESS if careless else {}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    program = str(home / "bin" / "postgres")
    return [program, "-D", owner.working_directory(place.postgres, place.user), *options]


def is_ready(place: Place) -> bool:
    """Tell whether the app's role can connect."""
    with suppress(psycopg2.OperationalError):
        psycopg2.connect(postgres_url(place), connect_timeout=2).close()
        return True
    return False


def _create_cluster(place: Place, home: Path, *, createdb: bool) -> None:
    """Make the cluster beside its place and move it there when it is whole.

    So a start that is cut off leaves nothing half-made that looks finished.
    """
    draft = place.root / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    owner.give(draft, place.user)
    here = owner.working_directory(draft, place.user)
    initdb = [
        *(str(home / "bin" / "initdb"), "-D", here, "-U", ADMIN, "--encoding=UTF8"),
        # The same order of text on every machine, whatever locales it has.
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        *("--auth=reject", "--no-instructions"),
        *(("--no-sync",) if createdb else ()),
    ]
    _run(place, draft, initdb)
    roles = ROLES.format(
        admin=ADMIN,
        admin_password=place.secret(f"postgres-{ADMIN}"),
        password=place.secret("postgres-cdp"),
        createdb="CREATEDB" if createdb else "NOCREATEDB",
    )
    # Single-user mode, so that no server without passwords ever listens.
    single = [str(home / "bin" / "postgres"), "--single", "-D", here, "-F", "template1"]
    _run(place, draft, single, roles)
    (draft / "pg_hba.conf").write_text(HBA)
    draft.rename(place.postgres)


def _run(place: Place, directory: Path, command: list[str], text: str = "") -> None:
    user = place.user
    done = subprocess.run(
        command,
        input=text,
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=() if user else None,
    )
    if done.returncode or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
        raise EngineError(f"PostgreSQL could not be set up: {done.stderr.strip() or done.stdout}")


def _remove_stale_lock(place: Place) -> None:
    """Remove a lock whose process is gone, also if its number now belongs to somebody else.

    PostgreSQL itself only asks whether the number is in use; after a reboot or in
    a fresh container it may be, by any process.
    """
    lock = place.postgres / "postmaster.pid"
    with suppress(FileNotFoundError, ValueError):
        if not _is_postgres(int(lock.read_text().split("\n", 1)[0])):
            lock.unlink()


def _is_postgres(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody's; PostgreSQL will say so itself
    listing = Path(f"/proc/{pid}/comm")
    if listing.exists():
        return "postgres" in listing.read_text()
    command = ["ps", "-o", "command=", "-p", str(pid)]
    return "postgres" in subprocess.run(command, capture_output=True, text=True, check=False).stdout
