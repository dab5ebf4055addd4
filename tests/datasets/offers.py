"""Sources with so many contacts in them, one of each kind, ready to be connected to."""

import io
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NoReturn

from django.db import connections

from tests.datasets.flowing import NAMES, as_csv, as_parquet, contacts
from tests.datasets.servers.http import SECRET, serving
from tests.datasets.servers.odata import ODataApi
from tests.datasets.servers.postgres import postgres_database
from tests.datasets.servers.s3 import BUCKET, s3_server
from tests.datasets.servers.salesforce import SalesforceApi
from tests.datasets.servers.sftp import PASSWORD, sftp_server

SALESFORCE_NAMES: Final = {
    "id": "Id", "name": "FirstName", "mail": "Email", "changed": "SystemModstamp",
}  # fmt: skip
CREATE: Final = """
CREATE TABLE contacts (
    contactid text PRIMARY KEY, firstname text, emailaddress1 text, modifiedon timestamptz
)
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """What to connect to, and what to read there."""

    kind: str
    settings: dict[str, Any]
    selection: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=lambda: NAMES)


@contextmanager
def sql(count: int, folder: Path) -> Iterator[Offer]:
    """Offer a table of PostgreSQL."""
    with postgres_database("shop") as (connection, url):
        rows = io.BytesIO(as_csv(contacts(count)))
        with connection.cursor() as cursor:
            cursor.execute(CREATE)
            cursor.copy_expert("COPY contacts FROM STDIN WITH (FORMAT csv, HEADER)", rows)
        password = connection.info.password
        selection = {"table": "public.contacts", "delta_column": "modifiedon"}
        yield Offer("sql", {"url": url, "password": password}, selection)


@contextmanager
def s3_csv(count: int, folder: Path) -> Iterator[Offer]:
    """Offer two CSV files on S3."""
    rows = contacts(count)
    with s3_server() as s3:
        s3.put("crm/a.csv", as_csv(rows[: count // 2]))
        s3.put("crm/b.csv", as_csv(rows[count // 2 :]))
        selection = {"format": "csv", "pattern": "*.csv"}
        yield Offer("files", {"url": f"s3://{BUCKET}/crm", **s3.settings}, selection)


@contextmanager
def s3_parquet(count: int, folder: Path) -> Iterator[Offer]:
    """Offer a Parquet file on S3."""
    with s3_server() as s3:
        s3.put("crm/contacts.parquet", as_parquet(contacts(count)))
        yield Offer("files", {"url": f"s3://{BUCKET}/crm", **s3.settings}, {"format": "parquet"})


@contextmanager
def sftp_csv(count: int, folder: Path) -> Iterator[Offer]:
    """Offer a CSV file on SFTP."""
    (folder / "contacts.csv").write_bytes(as_csv(contacts(count)))
    with sftp_server(folder) as server:
        settings = {"url": server.url, "password": PASSWORD, "host_key": server.host_key}
        yield Offer("files", settings, {"format": "csv", "pattern": "*.csv"})


@contextmanager
def sftp_parquet(count: int, folder: Path) -> Iterator[Offer]:
    """Offer a Parquet file on SFTP."""
    (folder / "contacts.parquet").write_bytes(as_parquet(contacts(count)))
    with sftp_server(folder) as server:
        settings = {"url": server.url, "private_key": server.private_key}
        yield Offer("files", settings, {"format": "parquet"})


@contextmanager
def dynamics(count: int, folder: Path) -> Iterator[Offer]:
    """Offer the contacts of Dynamics 365."""
    with serving(ODataApi(contacts=contacts(count))) as api:
        yield Offer("dynamics-365", {**api.settings, "client_secret": SECRET})


@contextmanager
def salesforce(count: int, folder: Path) -> Iterator[Offer]:
    """Offer the contacts of Salesforce."""
    rows = contacts(count, names=SALESFORCE_NAMES)
    with serving(SalesforceApi(contacts=rows)) as api:
        selection = {"columns": ["Id", "FirstName", "Email"]}
        settings = {**api.settings, "client_secret": SECRET}
        yield Offer("salesforce", settings, selection, SALESFORCE_NAMES)


OFFERS: Final[dict[str, Callable[[int, Path], AbstractContextManager[Offer]]]] = {
    "sql": sql,
    "s3-csv": s3_csv,
    "s3-parquet": s3_parquet,
    "sftp-csv": sftp_csv,
    "sftp-parquet": sftp_parquet,
    "dynamics": dynamics,
    "salesforce": salesforce,
}


@contextmanager
def apart(name: str, count: int, folder: Path) -> Iterator[Offer]:
    """Make an offer in a process of its own, so that this one can be forked without harm.

    A fork of a process with busy threads can inherit a lock that nobody lets go of.
    """
    ours, theirs = Pipe()
    connections.close_all()
    pid = os.fork()
    if not pid:
        ours.close()
        _serve(name, count, folder, theirs)
    theirs.close()
    try:
        yield ours.recv()
    finally:
        ours.close()
        os.waitpid(pid, 0)


def _serve(name: str, count: int, folder: Path, pipe: Connection) -> NoReturn:
    try:
        with OFFERS[name](count, folder) as offer:
            pipe.send(offer)
            pipe.poll(None)  # until the other end is closed
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
