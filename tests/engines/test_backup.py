import threading
import time
from collections.abc import Iterator

import psycopg2
import pytest

from cdp.engines import EngineError, backup, ephemeral
from cdp.engines.ephemeral import EphemeralUrls
from cdp.engines.urls import postgres_url

GATE = 77
TENANTS = """
CREATE TABLE tenant_row (sandbox_id int, word text);
ALTER TABLE tenant_row ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_row FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenant_row
    USING (sandbox_id = nullif(current_setting('cdp.sandbox_id', true), '')::int);
CREATE SEQUENCE counter;
SELECT nextval('counter') FROM generate_series(1, 41);
"""


class Database:
    """One database, asked as one role."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg2.connect(url)
        self.connection.autocommit = True

    def __call__(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> Iterator[EphemeralUrls]:
    with ephemeral(tmp_path_factory.mktemp("postgres"), engines=("postgres",)) as urls:
        yield urls


@pytest.fixture
def admin(engine) -> Iterator[Database]:
    """The superuser of a database with rows of two tenants."""
    database = Database(postgres_url(engine.place, role="cdp_admin"))
    database("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner")
    owner = Database(engine.database)
    owner(TENANTS)
    owner.connection.close()
    database("INSERT INTO tenant_row VALUES (1, 'one'), (2, 'two')")
    yield database
    database.connection.close()


@pytest.fixture
def url(engine, monkeypatch) -> str:
    monkeypatch.delenv("BACKUP_DATABASE_URL", raising=False)
    return backup.backup_url(engine.place, "cdp")


def test_a_dump_holds_every_tenants_rows_of_one_moment(engine, admin, url, tmp_path):
    with backup.instant(url, GATE) as instant:
        admin("INSERT INTO tenant_row VALUES (3, 'after the moment')")
        admin("UPDATE tenant_row SET word = 'changed'")
        instant.open_gate()
        backup.dump(url, instant.snapshot, tmp_path / "dump", engine.place)
    admin("DROP TABLE tenant_row; CREATE TABLE newer (x int)")
    admin.connection.close()

    backup.restore(url, tmp_path / "dump", engine.place)

    database = Database(url)
    assert database("SELECT * FROM tenant_row ORDER BY 1") == [(1, "one"), (2, "two")]
    assert database("SELECT nextval('counter')") == [(42,)]
    assert database("SELECT to_regclass('newer')") == [(None,)]
    assert database("SELECT tableowner FROM pg_tables WHERE tablename = 'tenant_row'") == [("cdp",)]
    database.connection.close()

    app = Database(engine.database)
    assert app("SELECT count(*) FROM tenant_row") == [(0,)]  # still forced
    app.connection.close()


def test_a_restore_beside_other_sessions_is_refused_and_changes_nothing(
    engine, admin, url, tmp_path
):
    with backup.instant(url, GATE) as instant:
        backup.dump(url, instant.snapshot, tmp_path / "dump", engine.place)
    admin("INSERT INTO tenant_row VALUES (3, 'three')")

    with pytest.raises(EngineError, match="1 other sessions use the database"):
        backup.restore(url, tmp_path / "dump", engine.place)

    assert admin("SELECT count(*) FROM tenant_row") == [(3,)]


def test_the_apps_own_role_is_not_enough(engine, admin, tmp_path):
    with (
        backup.instant(engine.database, GATE) as instant,
        pytest.raises(EngineError, match=r"pg_dump failed(.|\n)*row-level security policy"),
    ):
        backup.dump(engine.database, instant.snapshot, tmp_path / "dump", engine.place)


def test_without_the_embedded_engine_a_role_must_be_named(tmp_path, monkeypatch):
    monkeypatch.delenv("BACKUP_DATABASE_URL", raising=False)
    place = type("Elsewhere", (), {"root": tmp_path})()
    with pytest.raises(EngineError, match="set BACKUP_DATABASE_URL"):
        backup.backup_url(place, "cdp")

    monkeypatch.setenv("BACKUP_DATABASE_URL", "postgres://backup:x@db.example/app")
    assert backup.backup_url(place, "cdp") == "postgres://backup:x@db.example/app"


def test_the_moment_waits_for_writers_and_writers_wait_for_the_moment(engine, admin, url):
    writer = psycopg2.connect(engine.database)
    cursor = writer.cursor()
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [GATE])
    reached = threading.Event()
    open_ = threading.Event()

    def take() -> None:
        with backup.instant(url, GATE) as instant:
            reached.set()
            open_.wait(20)
            instant.open_gate()
            time.sleep(0.5)

    taking = threading.Thread(target=take)
    taking.start()
    assert not reached.wait(0.5)  # somebody writes

    writer.commit()
    assert reached.wait(5)
    cursor.execute("SELECT pg_try_advisory_xact_lock_shared(%s)", [GATE])
    assert cursor.fetchone() == (False,)
    writer.rollback()

    open_.set()
    begun = time.monotonic()
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [GATE])
    assert time.monotonic() - begun < 0.4  # the dump goes on, the writer too
    writer.close()
    taking.join()
