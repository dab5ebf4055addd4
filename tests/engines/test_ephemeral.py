import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import clickhouse_connect
import psycopg2
import pytest
import redis

from cdp.engines import ephemeral, events
from cdp.engines.place import CHECKOUT, Place
from cdp.engines.port import event_store_port
from cdp.engines.urls import postgres_url
from tests.stores import session_urls


def ask_postgres(url: str, question: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def eventually(question: Callable[[], object], seconds: float = 10) -> object:
    """Return the first answer that is no exception, or raise the last one."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return question()
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_the_apps_role_owns_its_database_and_cannot_pass_row_level_security():
    facts = ask_postgres(
        session_urls().database,
        """SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, pg_get_userbyid(datdba), version()
           FROM pg_roles, pg_database WHERE rolname = current_user AND datname = 'cdp'""",
    )

    assert facts[0][:5] == ("cdp", False, False, False, "cdp")
    assert str(facts[0][5]).startswith("PostgreSQL 18.")


def test_postgres_listens_on_a_private_socket_alone_and_wants_the_password():
    url = session_urls().database
    assert ask_postgres(url, "SHOW listen_addresses") == [("",)]
    admin = postgres_url(session_urls().place, role="cdp_admin")
    rules = ask_postgres(admin, "SELECT DISTINCT type, auth_method FROM pg_hba_file_rules")
    assert rules == [("local", "scram-sha-256")]
    socket = Path(url.partition("host=")[2])
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700

    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(host=str(socket), user="cdp", dbname="cdp", password="wrong")


def test_postgres_does_not_run_as_root():
    cluster = session_urls().place.postgres
    assert cluster.stat().st_uid != 0


def test_redis_wants_the_password_and_keeps_nothing_on_disk():
    url = session_urls().redis
    client = redis.Redis.from_url(url)
    assert client.config_get("save") == {"save": ""}
    assert client.config_get("appendonly") == {"appendonly": "no"}
    client.close()
    stranger = redis.Redis.from_url(f"unix://{session_urls().place.sockets()}/redis.sock")
    with pytest.raises(redis.AuthenticationError):
        stranger.ping()
    stranger.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has somebody to become")
def test_started_by_root_no_directory_changes_its_mode(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    around = [closed, *closed.parents, Path(sys.prefix), *Path(sys.prefix).parents]
    before = {path: path.stat().st_mode for path in around}

    with ephemeral(closed, engines=("postgres", "redis")) as urls:
        assert ask_postgres(urls.database, "SELECT 1") == [(1,)]

    assert {path: path.stat().st_mode for path in around} == before


def test_what_is_written_survives_a_kill_of_each_engine(tmp_path):
    with ephemeral(tmp_path, durable=True) as urls:
        ask_postgres(urls.database, "CREATE TABLE kept AS SELECT 7 AS number")
        events = clickhouse_connect.get_client(dsn=urls.clickhouse)
        events.command("CREATE TABLE kept (number UInt8) ENGINE = MergeTree ORDER BY number")
        events.insert("kept", [[7]], ["number"])
        before = {name: urls.pid(name) for name in ("postgres", "redis", "events")}

        for pid in before.values():
            os.kill(pid, signal.SIGKILL)

        read = "SELECT number FROM kept"
        assert eventually(lambda: ask_postgres(urls.database, read)) == [(7,)]
        assert eventually(lambda: events.query(read).result_rows) == [(7,)]
        assert eventually(lambda: redis.Redis.from_url(urls.redis).ping())
        assert all(urls.pid(name) != pid for name, pid in before.items())


def test_durable_engines_keep_postgres_promises_and_quick_ones_do_not(tmp_path):
    assert ask_postgres(session_urls().database, "SHOW fsync") == [("off",)]

    with ephemeral(tmp_path, durable=True, engines=("postgres",)) as urls:
        assert ask_postgres(urls.database, "SHOW fsync") == [("on",)]
        assert ask_postgres(urls.database, "SHOW synchronous_commit") == [("on",)]
        assert ask_postgres(urls.database, "SHOW full_page_writes") == [("on",)]


def test_a_port_taken_since_it_was_chosen_is_exchanged_before_anybody_knows_it(
    tmp_path, monkeypatch
):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        stolen = taken.getsockname()[1]
        place = Place(tmp_path)
        place.open()
        (place.root / "events.port").write_text(str(stolen))

        command = events.prepare(place)

        assert command[command.index("--port") + 1] == str(event_store_port(place)) != str(stolen)


def test_nothing_is_left_afterwards(tmp_path):
    with ephemeral(tmp_path, engines=("redis",)) as urls:
        sockets, pid = urls.place.sockets(), urls.pid("redis")

    assert list(tmp_path.iterdir()) == []
    assert not sockets.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_engines_end_with_a_process_that_is_killed(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from cdp.engines import ephemeral\n"
        "with ephemeral(Path(sys.argv[1]), engines=('redis',)) as urls:\n"
        "    print(urls.pid('redis'), flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    pid = int(process.stdout.readline())
    process.stdout.close()

    process.kill()
    process.wait()

    def is_gone() -> None:
        assert list(tmp_path.iterdir()) == []
        assert not Path(f"/proc/{pid}").exists()

    eventually(is_gone)
