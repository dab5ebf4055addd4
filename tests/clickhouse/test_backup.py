import threading
import uuid
from collections.abc import Iterator
from types import SimpleNamespace

import psycopg2
import pytest
import redis

from cdp.clickhouse import agreement, backup, client, snapshot, unfinished
from cdp.clickhouse.connection import connected
from cdp.clickhouse.errors import StoreRefused
from cdp.clickhouse.gate import GATE
from cdp.clickhouse.migrator import migrate
from cdp.clickhouse.unfinished import Unfinished
from cdp.engines import EngineError, ephemeral
from cdp.engines.ephemeral import EphemeralUrls

pytestmark = pytest.mark.clickhouse
ROWS = 50
SANDBOX = SimpleNamespace(pk=1)


@pytest.fixture(scope="module")
def engines(tmp_path_factory) -> Iterator[EphemeralUrls]:
    """Stores of their own: a restore replaces everything."""
    with ephemeral(tmp_path_factory.mktemp("backup")) as urls:
        yield urls


@pytest.fixture
def stores(engines, settings, monkeypatch) -> EphemeralUrls:
    """The project's code on these stores, with the tables that the event store has."""
    settings.CLICKHOUSE_URL, settings.REDIS_URL = engines.clickhouse, engines.redis
    settings.DATA_DIR = engines.place.root
    monkeypatch.delenv("BACKUP_DATABASE_URL", raising=False)
    database = SimpleNamespace(settings_dict={"NAME": "cdp"}, close=lambda: None)
    monkeypatch.setattr(backup, "connection", database)
    monkeypatch.setattr(unfinished, "_registered", {})
    migrate(lambda _: None)
    return engines


class Pipeline:
    """Ingestion as far as backups go: a batch is open, then in the event store, then done."""

    def __init__(self, urls: EphemeralUrls) -> None:
        self.postgres = psycopg2.connect(urls.database)
        self.stop = threading.Event()

    def make_tables(self) -> None:
        self.ask("DROP TABLE IF EXISTS batch; CREATE TABLE batch (id uuid PRIMARY KEY, done bool)")
        with connected(client.MAINTENANCE) as events:
            events.command("TRUNCATE TABLE records")

    def ask(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with self.postgres, self.postgres.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def run(self) -> None:
        while not self.stop.is_set():
            batch = str(uuid.uuid4())
            self.ask("INSERT INTO batch VALUES (%s, false)", batch)
            self.finish(batch)

    def finish(self, batch: str) -> None:
        with self.postgres, self.postgres.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [GATE])
            rows = [{"key": f"{batch}-{row}", "batch_id": batch} for row in range(ROWS)]
            client.insert("records", rows, sandbox=SANDBOX, token=batch)
        self.ask("UPDATE batch SET done = true WHERE id = %s", batch)

    def open_batches(self) -> list[str]:
        return [str(batch) for (batch,) in self.ask("SELECT id FROM batch WHERE NOT done")]

    def all_batches(self) -> set[str]:
        return {str(batch) for (batch,) in self.ask("SELECT id FROM batch")}


@pytest.fixture
def pipeline(stores) -> Iterator[Pipeline]:
    pipeline = Pipeline(stores)
    pipeline.make_tables()
    yield pipeline
    pipeline.postgres.close()


def stored() -> dict[str, tuple[int, int]]:
    """Return how many rows, and how many distinct ones, the event store has of each batch."""
    rows = client.fetch_text(
        "SELECT batch_id, count(), uniqExact(key) FROM records WHERE sandbox_id = {sandbox:UInt32} GROUP BY 1",
        sandbox=SANDBOX,
        budget=client.FULL,
    )
    return {batch: (count, distinct) for batch, count, distinct in rows}


def test_a_backup_taken_while_batches_run_is_restored_and_every_batch_counts_once(
    stores, pipeline, tmp_path
):
    # Batches go through while the backup is taken.
    workers = [Pipeline(stores) for _ in range(3)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    while len(pipeline.all_batches()) < 15:
        threading.Event().wait(0.05)
    manifest = backup.back_up(tmp_path / "backup")
    while len(pipeline.all_batches()) < 40:
        threading.Event().wait(0.05)
    for worker, thread in zip(workers, threads, strict=True):
        worker.stop.set()
        thread.join()
        worker.postgres.close()
    after = stored()

    # Everything is lost.
    pipeline.ask("DROP TABLE batch")
    pipeline.postgres.close()
    with connected(client.MAINTENANCE) as events:
        events.command("TRUNCATE TABLE records")
    with redis.Redis.from_url(stores.redis) as cache:
        cache.set("of another time", 1)

    # Back as it was; what was under way goes first, then runs to its end.
    again: list[Pipeline] = []

    def open_batches() -> list[str]:
        again.append(Pipeline(stores))
        return again[0].open_batches()

    unfinished.register("batches", Unfinished("records", "batch_id", open_batches))
    restored, open_units = backup.restore(tmp_path / "backup")

    pipeline = again[0]
    assert restored == manifest
    assert open_units == {"batches": len(pipeline.open_batches())}
    assert manifest.rows["records"] % ROWS == 0
    for batch in pipeline.open_batches():
        assert batch not in stored()
        pipeline.finish(batch)
    assert stored() == dict.fromkeys(pipeline.all_batches(), (ROWS, ROWS))
    assert 15 <= len(stored()) < len(after)
    with redis.Redis.from_url(stores.redis) as cache:
        assert cache.dbsize() == 0
    pipeline.postgres.close()


def test_a_backup_appears_whole_and_leaves_nothing_else(stores, tmp_path):
    backup.back_up(tmp_path / "backup")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup"]
    assert sorted(path.name for path in (tmp_path / "backup").iterdir()) == [
        "events",
        "manifest.json",
        "postgres.dump",
    ]
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "backup" / "postgres.dump").stat().st_mode & 0o777 == 0o600
    assert list(stores.place.exchange.iterdir()) == []
    with connected(client.MAINTENANCE) as events:
        assert events.query("SHOW TABLES LIKE 'backup%'").result_rows == []


def test_a_backup_goes_into_a_new_directory(stores, tmp_path):
    (tmp_path / "kept").mkdir()
    with pytest.raises(StoreRefused, match="exists already"):
        backup.back_up(tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_restore_beside_sessions_changes_nothing(stores, pipeline, tmp_path):
    pipeline.finish(str(uuid.uuid4()))
    backup.back_up(tmp_path / "backup")
    pipeline.finish(str(uuid.uuid4()))
    before = stored()

    with pytest.raises(EngineError, match="stop the web server and the workers first"):
        backup.restore(tmp_path / "backup")

    assert stored() == before


@pytest.mark.parametrize(
    "text", ["", "{}", '{"form": 9, "name": "n", "taken_at": "t", "rows": {}}']
)
def test_what_is_no_backup_is_not_restored(stores, tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StoreRefused, match=r"is no backup|is a backup of form 9"):
        backup.restore(tmp_path)
    with pytest.raises(StoreRefused, match="is no backup"):
        backup.restore(tmp_path / "missing")


def test_clones_of_a_backup_that_was_cut_off_do_not_hinder_the_next(stores, tmp_path):
    snapshot.freeze()
    backup.back_up(tmp_path / "backup")
    assert (tmp_path / "backup" / "manifest.json").exists()


def test_a_cluster_is_referred_to_its_own_backup(stores, settings, tmp_path):
    settings.CLICKHOUSE_CLUSTER = "main"
    with pytest.raises(StoreRefused, match=r"BACKUP \.\.\. ON CLUSTER"):
        snapshot.freeze()


def test_a_server_without_a_place_for_backups_is_refused_with_advice(stores, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    with pytest.raises(StoreRefused, match="set CLICKHOUSE_BACKUP_TO"):
        snapshot.save("name", tmp_path / "events")


def test_a_kind_of_unit_is_registered_once(stores):
    kind = Unfinished("records", "batch_id", list)
    unfinished.register("batches", kind)
    with pytest.raises(ValueError, match="batches has registered already"):
        unfinished.register("batches", kind)
    assert unfinished.remove_unfinished() == {"batches": 0}


@pytest.mark.django_db
def test_rows_of_a_sandbox_that_does_not_exist_are_a_disagreement(stores, monkeypatch):
    monkeypatch.setattr(agreement, "_checks", {})
    with connected(client.MAINTENANCE) as events:
        events.command("TRUNCATE TABLE records")
    assert list(agreement.disagreements()) == []

    client.insert(
        "records", [{"key": "a"}, {"key": "b"}], sandbox=SimpleNamespace(pk=999), token="t"
    )
    agreement.register("segments", lambda: ["A bitmap has a member that the profile does not."])

    assert list(agreement.disagreements()) == [
        ("sandboxes", "records has 2 rows of sandbox 999, which does not exist."),
        ("segments", "A bitmap has a member that the profile does not."),
    ]
    with pytest.raises(ValueError, match="segments has registered already"):
        agreement.register("segments", list)
