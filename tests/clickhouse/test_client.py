import uuid
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from django.core.management import call_command

from cdp.clickhouse import client, deduplication, migrator
from cdp.clickhouse.errors import (
    BudgetExceeded,
    QueryNotFenced,
    StoreRefused,
    StoreUnavailable,
)

pytestmark = pytest.mark.clickhouse

COUNT = "SELECT count() FROM events WHERE sandbox_id = {sandbox:UInt32}"
AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def event(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "identity_id": number,
        "ts": AT,
        "event_id": str(number),
        "event_type": "web.pageView",
        "dataset_id": "dst_1",
        "profile_id": number,
        "body": {"_id": str(number)},
        "ingested_at": AT,
        "batch_id": "b",
    } | fields


def count(sandbox: SimpleNamespace) -> int:
    ((number,),) = client.fetch_text(COUNT, sandbox=sandbox, budget=client.LOOKUP)
    return int(number)


def test_rows_are_written_and_read_as_they_are(fenced):
    body = {"a": {"b": 1.0}, "n": 2, "list": [{"x": "y"}], "flag": True}
    client.insert("events", [event(5, body=body)], sandbox=fenced, token="t")

    rows = client.fetch_text(
        "SELECT identity_id, ts, event_type, body FROM events WHERE sandbox_id = {sandbox:UInt32}",
        sandbox=fenced,
        budget=client.LOOKUP,
    )

    assert rows == [(5, AT, "web.pageView", body)]


def test_json_lines_go_through_as_they_are(fenced):
    lines = b"".join(
        orjson.dumps(event(number, sandbox_id=fenced.pk), option=orjson.OPT_APPEND_NEWLINE)
        for number in range(1000)
    )
    client.insert("events", lines, sandbox=fenced, token="t")
    assert count(fenced) == 1000


def test_the_same_token_writes_nothing_again(fenced):
    rows = [event(number) for number in range(100)]
    token = str(uuid.uuid4())

    for _ in range(3):
        client.insert("events", rows, sandbox=fenced, token=token)

    assert count(fenced) == 100


def test_equal_rows_under_another_token_are_other_rows(fenced):
    for token in ("one", "two"):
        client.insert("events", [event()], sandbox=fenced, token=token)
    assert count(fenced) == 2


def test_a_token_of_another_sandbox_is_another_token(fenced):
    stranger = SimpleNamespace(pk=fenced.pk + 1)
    for owner in (fenced, stranger):
        client.insert("events", [event()], sandbox=owner, token="t")
    assert (count(fenced), count(stranger)) == (1, 1)


def test_ten_years_of_months_go_in_at_once_and_again_not(fenced):
    rows = [
        event(year * 12 + month, ts=datetime(2016 + year, month + 1, 1, tzinfo=UTC))
        for year in range(10)
        for month in range(12)
    ]
    for _ in range(2):
        client.insert("events", rows, sandbox=fenced, token="months")
    assert count(fenced) == 120


@pytest.mark.parametrize(
    "text",
    ["2026-01-01", "2026-01-01T00:00:00.123+02:00", "12:30", "1", "true", "null", "NaN"],
)
def test_a_text_that_looks_like_something_else_stays_the_text(fenced, text):
    client.insert("events", [event(body={"value": text})], sandbox=fenced, token="t")

    ((value, kind),) = client.fetch_text(
        "SELECT body.value.:String, dynamicType(body.value) FROM events "
        "WHERE sandbox_id = {sandbox:UInt32}",
        sandbox=fenced,
        budget=client.LOOKUP,
    )
    assert (value, kind) == (text, "String")


@pytest.mark.parametrize(
    "body",
    [
        b'{"a.b":1,"a":{"b":2}}',
        rb'{"a":"\ud800"}',
        b'{"a":1e400}',
        b'{"a":' * 1200 + b"1" + b"}" * 1200,
    ],
    ids=["one path twice", "half a character", "no number", "too deep"],
)
def test_a_poison_record_is_refused_and_its_neighbours_with_it(fenced, body):
    good = orjson.dumps(event(sandbox_id=fenced.pk), option=orjson.OPT_APPEND_NEWLINE)
    poison = b'{"sandbox_id":%d,"ts":"2026-01-01T00:00:00Z","body":%b}\n' % (fenced.pk, body)

    with pytest.raises(StoreRefused) as refusal:
        client.insert("events", good + poison, sandbox=fenced, token="t")

    assert refusal.value.store_code in {117, 26, 27, 42, 306, 572}
    assert count(fenced) == 0


def test_a_column_that_does_not_exist_is_refused(fenced):
    with pytest.raises(StoreRefused, match="no_such_column"):
        client.insert("events", [event(no_such_column=1)], sandbox=fenced, token="t")
    assert count(fenced) == 0


def test_too_many_rows_for_one_token_are_a_mistake(fenced):
    with pytest.raises(ValueError, match="More than 100000 rows"):
        client.insert("events", b"{}\n" * 100_001, sandbox=fenced, token="t")


def test_another_sandbox_is_not_seen_even_past_an_or(fenced):
    client.insert("events", [event()], sandbox=fenced, token="t")
    stranger = SimpleNamespace(pk=fenced.pk + 1)

    assert count(fenced) == 1
    assert count(stranger) == 0
    assert client.fetch_text(f"{COUNT} OR 1", sandbox=stranger, budget=client.LOOKUP) == [(0,)]


@pytest.mark.parametrize("call", [client.fetch_text, client.execute])
def test_a_query_without_the_fence_is_not_sent(fenced, call):
    with pytest.raises(QueryNotFenced):
        call("SELECT count() FROM events", sandbox=fenced, budget=client.LOOKUP)


def test_streams_of_unfenced_queries_are_not_begun(fenced):
    for stream in (client.stream, client.stream_arrow):
        with pytest.raises(QueryNotFenced):
            next(stream("SELECT 1 FROM events", sandbox=fenced))


def test_an_unknown_table_is_not_written(fenced):
    with pytest.raises(QueryNotFenced, match="event_migrations is not one of our tables"):
        client.insert("event_migrations", b"{}\n", sandbox=fenced, token="t")


def test_what_is_selected_is_inserted_once_under_a_token_and_each_time_without(fenced):
    client.insert("events", [event(1), event(2)], sandbox=fenced, token="t")
    copy = (
        "INSERT INTO records (sandbox_id, dataset_id, key, ts) "
        "SELECT {sandbox:UInt32}, {dataset:String}, e.event_id, e.ts "
        "FROM events AS e WHERE e.sandbox_id = {sandbox:UInt32}"
    )
    counted = "SELECT count() FROM records WHERE sandbox_id = {sandbox:UInt32}"

    for _ in range(2):
        client.execute(copy, sandbox=fenced, params={"dataset": "dst_1"}, token="once")
    assert client.fetch_text(counted, sandbox=fenced, budget=client.LOOKUP) == [(2,)]

    for _ in range(2):
        client.execute(copy, sandbox=fenced, params={"dataset": "dst_1"})
    assert client.fetch_text(counted, sandbox=fenced, budget=client.LOOKUP) == [(6,)]


def test_deleted_rows_are_gone_when_the_call_returns_and_others_stay(fenced):
    stranger = SimpleNamespace(pk=fenced.pk + 1)
    for owner in (fenced, stranger):
        client.insert("events", [event(1), event(2)], sandbox=owner, token="t")

    client.execute(
        "ALTER TABLE events DELETE WHERE sandbox_id = {sandbox:UInt32} AND identity_id = {identity:UInt64}",
        sandbox=fenced,
        params={"identity": 1},
    )

    assert (count(fenced), count(stranger)) == (1, 2)


def test_results_stream_in_blocks(fenced):
    rows = [event(number) for number in range(20_000)]
    client.insert("events", rows, sandbox=fenced, token="t")
    text = "SELECT identity_id, event_id FROM events WHERE sandbox_id = {sandbox:UInt32} ORDER BY identity_id"

    assert [row for block in client.stream(text, sandbox=fenced) for row in block] == [
        (number, str(number)) for number in range(20_000)
    ]
    batches = list(client.stream_arrow(text, sandbox=fenced))
    assert sum(batch.num_rows for batch in batches) == 20_000
    assert batches[0].column("event_id")[0].as_py() == "0"


def test_a_stream_that_breaks_off_raises_and_is_never_short(fenced):
    client.insert("events", [event(number) for number in range(3000)], sandbox=fenced, token="t")
    text = (
        "SELECT e.identity_id, throwIf(n.number = 500 AND e.identity_id = 2999) "
        "FROM numbers(1000) AS n CROSS JOIN events AS e WHERE e.sandbox_id = {sandbox:UInt32}"
    )

    with pytest.raises(StoreRefused, match="throwIf"):
        list(client.stream(text, sandbox=fenced))
    with pytest.raises((StoreRefused, StoreUnavailable)):
        list(client.stream_arrow(text, sandbox=fenced))


def test_a_query_over_its_time_or_memory_is_ended(fenced, settings):
    client.insert("events", [event(number) for number in range(2000)], sandbox=fenced, token="t")
    settings.CLICKHOUSE_BUDGETS = settings.CLICKHOUSE_BUDGETS | {"full": (1, 10**9)}
    slow = "SELECT sum(sleepEachRow(0.01)) FROM events WHERE sandbox_id = {sandbox:UInt32}"
    with pytest.raises(BudgetExceeded, match=r"limits of its class \(full\)"):
        client.fetch_text(slow, sandbox=fenced, budget=client.FULL)

    settings.CLICKHOUSE_BUDGETS = settings.CLICKHOUSE_BUDGETS | {"full": (20, 5_000_000)}
    big = (
        "SELECT groupArray(repeat(event_id, 1000)) FROM events CROSS JOIN numbers(100) AS n "
        "WHERE sandbox_id = {sandbox:UInt32}"
    )
    with pytest.raises(BudgetExceeded):
        client.fetch_text(big, sandbox=fenced, budget=client.FULL)


def test_a_store_that_is_away_is_unavailable_and_says_when_to_come_back(fenced, settings):
    settings.CLICKHOUSE_URL = "http://cdp:x@127.0.0.1:9/default"

    with pytest.raises(StoreUnavailable) as refusal:
        count(fenced)

    assert (refusal.value.status, refusal.value.retry_after) == (503, 5)


def test_wrong_credentials_are_no_mistake_of_the_caller(fenced, settings):
    settings.CLICKHOUSE_URL = settings.CLICKHOUSE_URL.replace("cdp:", "cdp:wrong-")

    with pytest.raises(StoreUnavailable, match="does not accept our credentials"):
        count(fenced)


def test_migrations_are_applied_once(capsys):
    assert migrator.pending() == []
    call_command("migrate_events")
    assert capsys.readouterr().out == "The event store is up to date.\n"


def test_missing_migrations_are_named(monkeypatch, capsys):
    more = migrator.Migration(9999, "later", "")
    monkeypatch.setattr(migrator, "migrations", lambda: (more,))

    with pytest.raises(SystemExit) as left:
        call_command("migrate_events", check=True)

    assert left.value.code == 1
    assert capsys.readouterr().out == "9999 later is missing\n"


def test_a_store_that_ignores_tokens_is_not_trusted(monkeypatch):
    deduplication.verify_deduplication()

    tokens = iter("ab")

    def insert(client: Any, *arguments: Any, settings: dict[str, Any], **options: Any) -> None:
        raw_insert(
            client, *arguments, settings={"insert_deduplication_token": next(tokens)}, **options
        )

    from clickhouse_connect.driver.httpclient import HttpClient

    raw_insert = HttpClient.raw_insert
    monkeypatch.setattr(HttpClient, "raw_insert", insert)
    with pytest.raises(StoreRefused, match="kept 2 rows of an insert that was repeated"):
        deduplication.verify_deduplication()
