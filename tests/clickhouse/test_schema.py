import pytest

from cdp.clickhouse.migrator import LEDGER, _ledger
from cdp.clickhouse.schema import Migration, for_mutation, migrations, tables

SOURCE = """-- What happened; the reader; sees this.
CREATE TABLE visits
(
    sandbox_id UInt32,
    person UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(ts)
ORDER BY (sandbox_id, person)
SHARD BY cityHash64(person)
SETTINGS index_granularity = 1024;

ALTER TABLE visits ADD COLUMN IF NOT EXISTS page String;
ALTER TABLE visits MODIFY SETTING index_granularity = 512;
"""


def test_on_one_server_a_table_is_durable_and_deduplicates():
    assert Migration(1, "visits", SOURCE).statements() == [
        "CREATE TABLE IF NOT EXISTS visits\n(\n    sandbox_id UInt32,\n    person UInt64\n)\n"
        "ENGINE = ReplacingMergeTree(version)\n"
        "PARTITION BY toYYYYMM(ts)\nORDER BY (sandbox_id, person)\n"
        "SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000, "
        "fsync_after_insert = 1, fsync_part_directory = 1",
        "ALTER TABLE visits ADD COLUMN IF NOT EXISTS page String",
        "ALTER TABLE visits MODIFY SETTING index_granularity = 512",
    ]


def test_on_a_cluster_it_is_replicated_on_every_node_behind_a_distributed_one():
    assert Migration(1, "visits", SOURCE).statements("main") == [
        "CREATE TABLE IF NOT EXISTS visits_local ON CLUSTER 'main'\n"
        "(\n    sandbox_id UInt32,\n    person UInt64\n)\n"
        "ENGINE = ReplicatedReplacingMergeTree("
        "'/clickhouse/tables/{shard}/{database}/visits_local', '{replica}', version)\n"
        "PARTITION BY toYYYYMM(ts)\nORDER BY (sandbox_id, person)\n"
        "SETTINGS index_granularity = 1024, replicated_deduplication_window = 10000, "
        "replicated_deduplication_window_seconds = 604800, "
        "fsync_after_insert = 1, fsync_part_directory = 1",
        "CREATE TABLE IF NOT EXISTS visits ON CLUSTER 'main' AS visits_local\n"
        "ENGINE = Distributed('main', currentDatabase(), visits_local, cityHash64(person))",
        "ALTER TABLE visits_local ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS page String",
        "ALTER TABLE visits ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS page String",
        "ALTER TABLE visits_local ON CLUSTER 'main' MODIFY SETTING index_granularity = 512",
    ]


def test_a_statement_without_a_cluster_form_is_refused():
    with pytest.raises(ValueError, match="no cluster form of: DROP TABLE x"):
        Migration(1, "x", "DROP TABLE x").statements("main")


def test_our_migrations_are_numbered_and_have_both_forms():
    assert [migration.number for migration in migrations()] == list(range(1, len(migrations()) + 1))
    for migration in migrations():
        assert migration.statements()
        assert all("ON CLUSTER 'c'" in text for text in migration.statements("c"))
        assert not any(
            "SHARD BY" in text for text in migration.statements() + migration.statements("c")
        )


def test_every_table_is_known_and_begins_with_its_sandbox():
    assert {
        "events",
        "profile_overrides",
        "profiles",
        "memberships",
        "transitions",
        "records",
    } <= tables()
    for migration in migrations():
        for statement in migration.statements():
            if statement.startswith("CREATE TABLE"):
                assert "(\n    sandbox_id UInt32," in statement
                assert "ORDER BY (sandbox_id, " in statement


def test_events_of_an_identity_and_its_override_live_on_one_shard():
    texts = {migration.name: migration.statements("c")[1] for migration in migrations()}
    assert texts["events"].endswith("events_local, identity_id)")
    assert texts["profile_overrides"].endswith("profile_overrides_local, identity_id)")


@pytest.mark.parametrize(
    ("sql", "sent"),
    [
        (
            "ALTER TABLE events DELETE WHERE 1",
            "ALTER TABLE events_local ON CLUSTER 'c' DELETE WHERE 1",
        ),
        ("DELETE FROM events WHERE 1", "DELETE FROM events_local ON CLUSTER 'c' WHERE 1"),
        ("INSERT INTO events SELECT 1", "INSERT INTO events SELECT 1"),
    ],
)
def test_rows_are_deleted_on_every_node(sql, sent):
    assert for_mutation(sql, "c") == sent
    assert for_mutation(sql, "") == sql


def test_the_list_of_applied_migrations_is_the_same_on_every_node():
    assert LEDGER.format(**_ledger("c")).splitlines()[0] == (
        "CREATE TABLE IF NOT EXISTS event_migrations ON CLUSTER 'c'"
    )
    assert "'{shard}-{replica}'" in LEDGER.format(**_ledger("c"))
    assert "ENGINE = MergeTree ORDER BY" in LEDGER.format(**_ledger(""))
