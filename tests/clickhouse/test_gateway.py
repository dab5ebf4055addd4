import gzip
import io
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import IncompleteRead
from urllib.parse import urlsplit

import clickhouse_connect
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from tests.stores import session_urls


@pytest.fixture(scope="module")
def client():
    return clickhouse_connect.get_client(
        dsn=session_urls().clickhouse, autogenerate_session_id=False
    )


def test_ping_answers_without_a_password(raw):
    reply = raw.ask(method="GET", path="/ping", headers={"X-ClickHouse-Key": None})
    assert (reply.status, reply.body) == (200, b"Ok.\n")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-ClickHouse-Key": "wrong"},
        {"X-ClickHouse-Key": None},
        {"X-ClickHouse-User": "default"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Bearer x", "X-ClickHouse-Key": None},
    ],
)
def test_without_the_password_nothing_is_answered(raw, headers):
    reply = raw.ask("SELECT 1", headers=headers)
    assert reply.status == 403
    assert reply.headers["X-ClickHouse-Exception-Code"] == "516"


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_web_page_is_refused_even_with_the_password(raw, headers, method):
    reply = raw.ask("SELECT 1", method=method, headers=headers)
    assert reply.status == 403
    assert b"Only local programs" in reply.body


def test_questions_are_asked_by_post_alone(raw):
    assert raw.ask(method="GET", query="SELECT 1").status == 405


@pytest.mark.parametrize(
    ("statement", "arguments", "status", "code"),
    [
        ("SELEC 1", {}, 400, "62"),
        ("", {}, 400, "62"),
        (b"SELECT '\xff'", {}, 400, "62"),
        ("SELECT * FROM nowhere", {}, 404, "60"),
        ("SELECT 1", {"no_such_setting": 1}, 400, "115"),
        ("SELECT 1", {"max_threads=1; DROP": 1}, 400, "115"),
        ("SELECT 1", {"database": "nowhere"}, 404, "81"),
        ("SET max_threads = 1", {}, 501, "48"),
        ("USE system", {}, 501, "48"),
        ("SELECT {missing:UInt8}", {}, 500, "456"),
        ("SELECT throwIf(1)", {}, 500, "395"),
        ("SELECT 1 FORMAT NoSuchFormat", {}, 400, "73"),
    ],
)
def test_a_refusal_carries_clickhouses_own_code(raw, statement, arguments, status, code):
    reply = raw.ask(statement, **arguments)

    assert reply.headers["X-ClickHouse-Exception-Code"] == code
    assert reply.status == status
    assert reply.body.startswith(f"Code: {code}. DB::Exception: ".encode())


def test_settings_hold_for_one_question_only(raw):
    question = "SELECT getSetting('max_threads'), getSetting('max_execution_time')"
    plain = raw.ask(question).body

    assert raw.ask(question, max_threads=3, max_execution_time=7).body == b"3\t7\n"
    assert {raw.ask(question).body for _ in range(20)} == {plain}


def test_settings_of_a_failed_question_do_not_stay(raw):
    plain = raw.ask("SELECT getSetting('max_threads')").body
    for _ in range(20):
        assert raw.ask("SELECT throwIf(1)", max_threads=5).status == 500

    assert {raw.ask("SELECT getSetting('max_threads')").body for _ in range(20)} == {plain}


def test_a_time_limit_ends_a_query(raw):
    begun = time.monotonic()
    reply = raw.ask(
        "SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 0",
        max_execution_time=1,
    )
    assert reply.headers["X-ClickHouse-Exception-Code"] == "159"
    assert time.monotonic() - begun < 3


def test_parameters_are_values_never_sql(client):
    hostile = "x'; DROP TABLE t; -- {a:UInt8} \\ \n\t\0 é"
    rows = client.query(
        "SELECT {text:String}, {list:Array(UInt64)}, {none:Nullable(String)}",
        {"text": hostile, "list": [1, 2**63], "none": None},
    ).result_rows
    assert rows == [(hostile, [1, 2**63], None)]


def test_parameters_too_long_for_an_address_come_as_a_form(client):
    numbers = list(range(20_000))
    rows = client.query(
        "SELECT length({list:Array(UInt64)}), {list:Array(UInt64)}[-1]", {"list": numbers}
    )
    assert rows.result_rows == [(20_000, 19_999)]


def test_external_tables_are_refused(raw):
    form = b'--x\r\nContent-Disposition: form-data; name="t"; filename="t"\r\n\r\n1\r\n--x--\r\n'
    reply = raw.ask(
        form, headers={"Content-Type": "multipart/form-data; boundary=x"}, query="SELECT 1"
    )
    assert (reply.status, reply.headers["X-ClickHouse-Exception-Code"]) == (501, "48")


@pytest.mark.parametrize(
    ("form", "read"),
    [
        ("JSONEachRow", lambda body: [json.loads(line)["number"] for line in body.splitlines()]),
        ("TabSeparated", lambda body: [int(line) for line in body.splitlines()]),
        ("ArrowStream", lambda body: pa.ipc.open_stream(body).read_all()["number"].to_pylist()),
        ("Arrow", lambda body: pa.ipc.open_file(io.BytesIO(body)).read_all()["number"].to_pylist()),
        ("JSON", lambda body: [int(row["number"]) for row in json.loads(body)["data"]]),
    ],
)
def test_every_format_carries_all_blocks_of_a_result(raw, form, read):
    body = raw.ask("SELECT number FROM numbers(200000)", default_format=form).body
    assert read(body) == list(range(200_000))


def test_native_results_come_as_python_values(client):
    rows = client.query(
        "SELECT toDateTime64('2026-01-02 03:04:05.678', 3, 'UTC') AS at, toDecimal64('1.25', 2) AS price, "
        """'{"a": {"b": 1.0}, "c": ["d"]}'::JSON AS body, CAST('x', 'LowCardinality(String)') AS low"""
    )
    (row,) = rows.named_results()
    assert row["at"].isoformat() == "2026-01-02T03:04:05.678000"
    assert str(row["price"]) == "1.25"
    assert row["body"] == {"a": {"b": 1.0}, "c": ["d"]}
    assert row["low"] == "x"


def test_an_empty_result_is_empty(raw, client):
    assert raw.ask("SELECT 1 WHERE 0").body == b""
    assert client.query("SELECT 1 WHERE 0").result_rows == []


def test_an_insert_takes_its_data_from_the_body(raw, table):
    first = raw.ask(f'INSERT INTO {table} FORMAT JSONEachRow\n{{"number": 1}}\n{{"number": 2}}')
    second = raw.ask('{"number": 3}', query=f"INSERT INTO {table} (number) FORMAT JSONEachRow")

    assert json.loads(first.headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    assert second.status == 200
    assert raw.ask(f"SELECT arraySort(groupArray(number)) FROM {table}").body == b"[1,2,3]\n"


@pytest.mark.parametrize("compress", [False, "lz4", "gzip"])
def test_rows_are_inserted_in_the_clients_own_format(table, compress):
    client = clickhouse_connect.get_client(dsn=session_urls().clickhouse, compress=compress)

    client.insert(table, [[number, "x" * 100] for number in range(50_000)], ["number", "text"])

    assert client.query(f"SELECT count(), sum(number) FROM {table}").result_rows == [
        (50_000, sum(range(50_000)))
    ]


def test_a_body_in_chunks_and_compressed_arrives_whole(raw, table):
    lines = b"".join(b'{"number": %d}\n' % number for number in range(100_000))
    chunks = (lines[at : at + 70_001] for at in range(0, len(lines), 70_001))
    query = f"INSERT INTO {table} FORMAT JSONEachRow"

    assert raw.ask(chunks, query=query).status == 200
    packed = gzip.compress(lines.replace(b" ", b" 1"))
    assert raw.ask(packed, headers={"Content-Encoding": "gzip"}, query=query).status == 200

    assert raw.ask(f"SELECT count(), uniqExact(number) FROM {table}").body == b"200000\t190000\n"


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Content-Encoding": "br"}, b"br is none of gzip, deflate, lz4"),
        ({"Content-Encoding": "gzip"}, b"The body is not packed"),
        ({"Transfer-Encoding": "chunked"}, b"Not the length of a body"),
        ({"Content-Length": "many"}, b"Not the length of a body"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(raw, table, headers, message):
    query = f"INSERT INTO {table} FORMAT JSONEachRow"

    reply = raw.ask(b'{"number": 1}\n', headers=headers, query=query)

    assert reply.status == 400
    assert message in reply.body
    assert raw.ask(f"SELECT count() FROM {table}").body == b"0\n"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_breaks_off_inserts_nothing(raw, table, chunked):
    parts = urlsplit(raw.url)
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 100000"
    body = b'64\r\n{"number": 1}\n' if chunked else b'{"number": 1}\n'
    with socket.create_connection((parts.hostname, parts.port)) as wire:
        head = (
            f"POST /?query=INSERT+INTO+{table}+FORMAT+JSONEachRow HTTP/1.1\r\n"
            f"Host: {parts.hostname}:{parts.port}\r\nX-ClickHouse-User: {parts.username}\r\n"
            f"X-ClickHouse-Key: {parts.password}\r\n{length}\r\n\r\n"
        )
        wire.sendall(head.encode() + body)

    time.sleep(0.3)
    assert raw.ask(f"SELECT count() FROM {table}").body == b"0\n"


def test_one_bad_row_inserts_none_and_the_next_insert_works(raw, table):
    lines = '{"number": 1}\n{"number": "one"}\n'
    refused = raw.ask(f"INSERT INTO {table} FORMAT JSONEachRow\n{lines}")

    assert refused.headers["X-ClickHouse-Exception-Code"] in {"26", "27", "117"}
    assert raw.ask(f"SELECT count() FROM {table}").body == b"0\n"
    assert raw.ask(f'INSERT INTO {table} FORMAT JSONEachRow\n{{"number": 1}}').status == 200


def test_a_token_inserts_once_however_the_body_is_cut(raw, table):
    lines = b"".join(b'{"number": %d}\n' % number for number in range(300_000))
    query = f"INSERT INTO {table} FORMAT JSONEachRow"

    for size in (len(lines), 100_003, 1_000_001):
        chunks = (lines[at : at + size] for at in range(0, len(lines), size))
        assert raw.ask(chunks, query=query, insert_deduplication_token="t").status == 200

    assert raw.ask(f"SELECT count() FROM {table}").body == b"300000\n"


def test_a_late_failure_breaks_the_answer_off(raw, client):
    late = "SELECT throwIf(number = 1500000) FROM numbers(2000000) SETTINGS max_block_size = 65536"

    with pytest.raises(IncompleteRead) as broken:
        raw.ask(late)
    assert b"__exception__" in broken.value.partial
    assert b"Code: 395." in broken.value.partial

    with pytest.raises((DatabaseError, StreamFailureError), match="throwIf"):
        client.query(late).result_rows  # noqa: B018 read only now


def test_a_stream_that_nobody_reads_to_its_end_frees_its_connection(raw):
    for _ in range(40):  # more than there are connections
        connection = raw.connect()
        parts = urlsplit(raw.url)
        connection.request(
            "POST",
            "/",
            "SELECT number FROM numbers(100000000)",
            {"X-ClickHouse-User": parts.username, "X-ClickHouse-Key": parts.password},
        )
        connection.getresponse().read(1000)
        connection.close()

    assert raw.ask("SELECT 1").body == b"1\n"


def test_a_look_up_does_not_wait_behind_a_scan(raw):
    scan = "SELECT count() FROM numbers(2000000000) WHERE sipHash64(number) = 0"
    with ThreadPoolExecutor(2) as threads:
        scans = [
            threads.submit(raw.ask, scan, max_threads=1, max_execution_time=2) for _ in range(2)
        ]
        time.sleep(0.3)
        begun = time.monotonic()
        assert raw.ask("SELECT 1").body == b"1\n"
        took = time.monotonic() - begun
        assert not any(future.done() for future in scans)
    assert took < 1


def test_every_question_is_noted_with_its_settings(raw):
    marker = f"SELECT {time.time_ns()}"

    raw.ask(marker, max_threads=2, param_a="b")

    noted = [json.loads(line) for line in session_urls().query_log.read_text().splitlines()]
    assert [entry for entry in noted if entry["query"] == marker] == [
        {
            "query": marker,
            "database": "",
            "settings": {"max_threads": "2"},
            "parameters": {"a": "b"},
            "insert_format": "",
        }
    ]
