"""Batches: uploaded in any way, judged whole, stored in chunks, taken back."""

import gzip
import io
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.utils import timezone
from orjson import dumps, loads

from cdp import queue
from cdp.datasets.fates import get_receipt
from cdp.datasets.ingestion import outcomes, prepare
from cdp.datasets.models import Batch
from cdp.datasets.seeing import RefusedRecords
from cdp.datasets.services import batch_work
from cdp.datasets.services.batch_work import finish_revert
from cdp.datasets.services.settling import reject, write_receipts
from cdp.datasets.staging import chunks, diagnostics
from cdp.datasets.topics import BATCHES_LOADED, BATCHES_REVERTED, RECORDS_RECEIVED
from cdp.queue.models import QueueItem
from cdp.tenancy.scope import scope
from tests.datasets.making import ACTOR, event, make_dataset, make_inlet, make_schema, send


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.FILES_URL = tmp_path.as_uri()
    return tmp_path


@pytest.fixture
def dataset(sandbox):
    return make_dataset(sandbox)


def start(api, dataset, **values):
    response = api.post("/api/v1/batches/", {"dataset_id": dataset.pk, **values})
    assert response.status_code == 201, response.json()
    return response.json()["id"]


def put(api, batch, name, body, **headers):
    return api.generic(
        "PUT",
        f"/api/v1/batches/{batch}/files/{name}",
        body,
        content_type="application/octet-stream",
        **headers,
    )


def lines(*rows):
    return b"\n".join(dumps(row) for row in rows)


def complete(api, batch):
    response = api.post(f"/api/v1/batches/{batch}/complete/")
    assert response.status_code == 202, response.json()
    return response.json()


def read(api, batch):
    return api.get(f"/api/v1/batches/{batch}/").json()


def load(api, dataset, body, name="rows.json", **values):
    batch = start(api, dataset, **values)
    assert put(api, batch, name, body).status_code == 200
    complete(api, batch)
    queue.drain([BATCHES_LOADED])
    return batch


def waiting(sandbox, topic=RECORDS_RECEIVED):
    with scope(sandbox, ACTOR):
        return list(QueueItem.objects.for_sandbox(sandbox).filter(topic=topic).order_by("id"))


def ingest(sandbox):
    """Do the ingest worker's part without its stores; return the records that it was given.

    By their ids: a batch brings the events of one person together.
    """
    taken = []
    while items := waiting(sandbox):
        with scope(sandbox, ACTOR):
            result = prepare(sandbox, items, now=timezone.now())
            reject(sandbox, result.rejected)
            write_receipts(sandbox, outcomes(result))
            QueueItem.objects.for_sandbox(sandbox).filter(pk__in=[i.pk for i in items]).delete()
        taken += [each.record for each in result.accepted]
    return sorted(taken, key=lambda record: record.get("_id", ""))


@pytest.mark.acceptance("A-08")
def test_a_batch_is_made_filled_completed_and_stored(api, sandbox, dataset):
    batch = start(api, dataset, external_id="pos-1")
    assert read(api, batch)["state"] == "loading"
    rows = [event(number) for number in range(3)]
    put(api, batch, "day/one.json", lines(*rows[:2]))
    put(api, batch, "day/two.json", lines(rows[2]))

    assert complete(api, batch)["state"] == "loaded"
    assert complete(api, batch)["state"] == "loaded"  # twice is as good as once
    queue.drain([BATCHES_LOADED])
    assert read(api, batch)["state"] == "processing"
    taken = ingest(sandbox)

    assert taken == rows
    told = read(api, batch)
    assert {key: told[key] for key in (
        "state", "input_files", "input_records", "failed_records", "stored_records",
    )} == {
        "state": "success", "input_files": 2, "input_records": 3, "failed_records": 0,
        "stored_records": 3,
    }  # fmt: skip
    assert told["input_bytes"] == len(lines(*rows[:2])) + len(lines(rows[2]))
    assert told["completed_at"] is not None


def test_records_of_a_batch_carry_it_and_are_not_judged_twice(api, sandbox, dataset):
    batch = load(api, dataset, lines(event(1)))

    with scope(sandbox, ACTOR):
        (accepted,) = prepare(sandbox, waiting(sandbox), now=timezone.now()).accepted

    assert (accepted.batch_id, accepted.receipt_id) == (batch, f"{batch}_000000")
    assert accepted.profile is True


@pytest.mark.acceptance("A-33")
def test_a_bad_row_fails_the_whole_batch_and_is_told(api, sandbox, dataset):
    bad = event(2, eventType=1, web={"webPageDetails": {"URL": 5}})
    batch = load(api, dataset, lines(event(1), bad, event(3)) + b"\nno json")

    assert waiting(sandbox) == []
    told = read(api, batch)
    assert (told["state"], told["input_records"], told["failed_records"]) == ("failed", 4, 2)
    assert told["reason"] == "2 of 4 rows are bad."
    assert {error["code"]: error["count"] for error in told["errors"]} == {
        "wrong_type": 2,
        "unparsable_row": 1,
    }
    download = api.get(f"/api/v1/batches/{batch}/errors/")
    rows = [loads(line) for line in b"".join(download.streaming_content).splitlines()]
    assert [(row["file"], row["row"]) for row in rows] == [("rows.json", 1), ("rows.json", 3)]
    assert rows[0]["record"] == bad
    assert {error["path"] for error in rows[0]["errors"]} == {"eventType", "web.webPageDetails.URL"}
    assert rows[1]["record"] == "no json"


@pytest.mark.parametrize(("percent", "state"), [(50, "success"), (49.9, "failed"), (0, "failed")])
def test_partial_ingestion_has_a_threshold(api, sandbox, dataset, percent, state):
    batch = load(api, dataset, lines(event(1), {"a": 1}), partial_percent=percent)
    taken = ingest(sandbox)

    told = read(api, batch)
    assert told["state"] == state
    assert told["failed_records"] == 1
    assert len(taken) == told["stored_records"] == (1 if state == "success" else 0)


def test_bad_rows_are_only_counted_if_nobody_wants_them(api, dataset):
    batch = load(api, dataset, lines({"a": 1}), error_diagnostics=False)

    assert read(api, batch)["errors"] != []
    assert b"".join(api.get(f"/api/v1/batches/{batch}/errors/").streaming_content) == b""


def test_large_files_come_in_pieces_in_any_order_and_again(api, sandbox, dataset):
    batch, whole = start(api, dataset), lines(*(event(number) for number in range(20)))
    url = f"/api/v1/batches/{batch}/files/big.json"
    assert api.post(f"{url}?action=initialize").status_code == 201
    cuts = [0, 700, 1_500, len(whole)]
    spans = list(pairwise(cuts))
    for begin, end in [spans[2], spans[0], spans[0], spans[1]]:
        response = api.generic(
            "PATCH", url, whole[begin:end], content_type="application/octet-stream",
            HTTP_CONTENT_RANGE=f"bytes {begin}-{end - 1}/*",
        )  # fmt: skip
        assert response.status_code == 200

    closed = api.post(f"{url}?action=complete")

    assert (closed.status_code, closed.json()["size"]) == (200, len(whole))
    complete(api, batch)
    queue.drain([BATCHES_LOADED])
    assert len(ingest(sandbox)) == 20


@pytest.mark.parametrize("spans", [[(0, 9), (20, 29)], [(0, 9), (5, 29)], [(5, 9)], []])
def test_a_hole_or_an_overlap_is_refused_when_the_file_is_closed(api, dataset, spans):
    batch = start(api, dataset)
    url = f"/api/v1/batches/{batch}/files/big.json"
    api.post(f"{url}?action=initialize")
    for first, last in spans:
        api.generic("PATCH", url, b"x" * (last - first + 1),
                    HTTP_CONTENT_RANGE=f"bytes {first}-{last}/30")  # fmt: skip

    closed = api.post(f"{url}?action=complete")

    assert (closed.status_code, closed.json()["code"]) == (400, "file_incomplete")
    assert api.post(f"/api/v1/batches/{batch}/complete/").status_code == 409


def test_a_piece_that_is_not_as_long_as_its_range_is_refused(api, dataset):
    batch = start(api, dataset)
    url = f"/api/v1/batches/{batch}/files/big.json"
    api.post(f"{url}?action=initialize")

    for content_range in ("bytes 0-9/10", "bytes 0-1/10", "bytes 9-2/10", "nonsense"):
        response = api.generic("PATCH", url, b"abc", HTTP_CONTENT_RANGE=content_range)
        assert response.status_code == 400

    (file,) = api.get(f"/api/v1/batches/{batch}/files/").json()["results"]
    assert (file["pieces"], file["complete"]) == ([], False)


@pytest.mark.parametrize(
    "name", ["..%2F..%2Fetc%2Fpasswd", "a/../b", "a%00b", "a%0Ab", "a%5Cb", "x" * 300]
)
def test_tricks_with_names_are_refused_and_write_nothing(api, folder, dataset, name):
    batch = start(api, dataset)

    assert put(api, batch, name, b"{}").status_code in (400, 404, 422)

    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert api.get(f"/api/v1/batches/{batch}/files/").json()["results"] == []


def test_an_upload_may_be_too_large(api, dataset, settings):
    settings.FILE_PIECE_LIMIT = 100
    batch = start(api, dataset)

    response = put(api, batch, "big.json", b"x" * 101)

    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert put(api, batch, "empty.json", b"").status_code == 400


def test_an_aborted_batch_is_gone_and_takes_no_more(api, folder, dataset):
    batch = start(api, dataset)
    put(api, batch, "a.json", lines(event(1)))

    assert api.post(f"/api/v1/batches/{batch}/abort/").json()["state"] == "aborted"

    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert put(api, batch, "b.json", b"{}").status_code == 409
    assert api.post(f"/api/v1/batches/{batch}/complete/").status_code == 409
    assert api.post(f"/api/v1/batches/{batch}/abort/").status_code == 409


def test_a_batch_without_files_is_not_completed(api, dataset):
    batch = start(api, dataset)

    response = api.post(f"/api/v1/batches/{batch}/complete/")

    assert (response.status_code, response.json()["code"]) == (409, "batch_state")


CSV = (
    "_id,timestamp,eventType,commerce.order.priceTotal,identityMap.ECID[0].id\r\n"
    'c1,2026-11-20T10:00:00Z,"a;b",12.5,{0}\r\n'
)


@pytest.fixture
def now(monkeypatch):
    from datetime import UTC, datetime

    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 21, tzinfo=UTC))


def test_csv_columns_are_paths_and_values_take_the_field_s_type(api, sandbox, dataset, now):
    load(api, dataset, CSV.encode(), name="rows.csv", input_format="csv")

    assert ingest(sandbox) == [
        {
            "_id": "c1",
            "timestamp": "2026-11-20T10:00:00Z",
            "eventType": "a;b",
            "commerce": {"order": {"priceTotal": 12.5}},
            "identityMap": {"ECID": [{"id": "{0}"}]},
        }
    ]


def test_a_csv_dialect_is_honoured(api, sandbox, dataset, now):
    text = "x1\t2026-11-20T10:00:00Z\t'M\xfcller\t'\tNULL\n"
    options = {
        "delimiter": "\t", "quote": "'", "null_marker": "NULL", "charset": "ISO-8859-1",
        "header": ["_id", "timestamp", "eventType", "commerce.order.priceTotal"],
    }  # fmt: skip

    load(api, dataset, text.encode("latin-1"), input_format="csv", format_options=options)

    assert ingest(sandbox) == [
        {"_id": "x1", "timestamp": "2026-11-20T10:00:00Z", "eventType": "M\xfcller\t"}
    ]


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"delimiter": ";;"}, "delimiter"),
        ({"charset": "EBCDIC"}, "charset"),
        ({"foo": 1}, "foo"),
        ({"header": "a,b"}, "header"),
    ],
)
def test_options_that_make_no_sense_are_refused(api, dataset, options, path):
    response = api.post(
        "/api/v1/batches/",
        {"dataset_id": dataset.pk, "input_format": "csv", "format_options": options},
    )

    assert response.status_code == 422
    assert [error["path"] for error in response.json()["errors"]] == [f"format_options.{path}"]


UNREADABLE = {
    "unknown column": ("csv", b"_id,tmestamp\n1,2\n", "unknown_column"),
    "empty header": ("csv", b",\n1,2\n", "empty_header"),
    "repeated header": ("csv", b"_id,_id\n1,2\n", "header_repeats"),
    "no parquet": ("parquet", b"PAR1 but not really PAR1", "not_parquet"),
    "no array": ("json-array", b'{"a": 1}', "not_an_array"),
    "array cut off": ("json-array", b'[{"a": 1}', "cut_off"),
    "zip": ("json", b"PK\x03\x04nonsense", "zip_file"),
    "gzip cut off": ("json", gzip.compress(b'{"a": 1}' * 99)[:-9], "cut_off"),
    "broken gzip": ("json", gzip.compress(b'{"a": 1}' * 99)[:20] + b"\xff" * 20, "broken_gzip"),
}


@pytest.mark.parametrize(
    ("input_format", "body", "code"), list(UNREADABLE.values()), ids=list(UNREADABLE)
)
def test_an_unreadable_file_fails_the_batch_with_its_reason(
    api, sandbox, dataset, input_format, body, code
):
    batch = load(api, dataset, body, input_format=input_format, partial_percent=100)

    told = read(api, batch)
    assert (told["state"], told["errors"][0]["code"]) == ("failed", code)
    assert told["reason"]
    assert waiting(sandbox) == []


def test_a_gzip_bomb_is_stopped(api, dataset, monkeypatch):
    from cdp.datasets.files import packed

    monkeypatch.setattr(packed, "_ALWAYS_FINE", 1_000_000)

    batch = load(api, dataset, gzip.compress(b" " * 30_000_000))

    assert read(api, batch)["errors"][0]["code"] == "gzip_bomb"


BAD_ROWS = {
    "column count": ("csv", b"_id,eventType\na,b,c\n", "wrong_column_count"),
    "encoding": ("csv", b"_id,eventType\na,\xff\n", "wrong_encoding"),
    "type": ("csv", b"_id,commerce.order.priceTotal\na,many\n", "wrong_type"),
    "open quote": ("csv", b'_id,eventType\na,"b\n', "unparsable_row"),
    "list": ("json", b"[1]\n", "not_an_object"),
    "long line": ("json", b'{"a": "' + b"x" * 2_000_000 + b'"}\n', "row_too_large"),
    "many fields": ("json", dumps({f"f{n}": 1 for n in range(10_001)}), "too_many_fields"),
}


@pytest.mark.parametrize(
    ("input_format", "body", "code"), list(BAD_ROWS.values()), ids=list(BAD_ROWS)
)
def test_a_bad_row_is_put_aside_with_its_reason(api, sandbox, dataset, input_format, body, code):
    batch = load(api, dataset, body, input_format=input_format, partial_percent=100)

    told = read(api, batch)
    assert (told["state"], told["failed_records"]) == ("success", 1)
    assert code in {error["code"] for error in told["errors"]}
    assert ingest(sandbox) == []


def test_formats_say_the_same(api, sandbox, dataset, now):
    rows = [
        {
            "_id": f"e{n}", "timestamp": "2026-11-20T10:00:00Z", "eventType": "x",
            "commerce": {"order": {"priceTotal": 1.5 + n}},
            "productListItems": [{"SKU": "a", "quantity": n}],
        }
        for n in range(3)
    ]  # fmt: skip
    table = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), table)
    bodies = {
        "json": lines(*rows) + b"\n",
        "json-array": dumps(rows),
        "parquet": table.getvalue(),
    }
    for input_format, body in bodies.items():
        load(api, dataset, body, input_format=input_format)
        assert ingest(sandbox) == rows
    load(api, dataset, gzip.compress(bodies["json"]))
    assert ingest(sandbox) == rows


def test_parquet_times_maps_and_nulls_become_json(api, sandbox, dataset, now):
    from datetime import UTC, datetime

    moment = datetime(2026, 11, 20, 10, tzinfo=UTC)
    item = [{"id": "1", "primary": True, "authenticatedState": None}]
    schema = pa.schema(
        [
            ("_id", pa.string()),
            ("timestamp", pa.timestamp("ms", tz="UTC")),
            ("eventType", pa.string()),
            (
                "identityMap",
                pa.map_(
                    pa.string(),
                    pa.list_(
                        pa.struct(
                            [
                                ("id", pa.string()),
                                ("primary", pa.bool_()),
                                ("authenticatedState", pa.string()),
                            ]
                        )
                    ),
                ),
            ),
        ]
    )
    table = pa.table(
        {
            "_id": ["e1"], "timestamp": [moment], "eventType": [None],
            "identityMap": [[("ECID", item)]],
        },
        schema=schema,
    )  # fmt: skip
    body = io.BytesIO()
    pq.write_table(table, body)

    load(api, dataset, body.getvalue(), input_format="parquet")

    assert ingest(sandbox) == [
        {
            "_id": "e1",
            "timestamp": "2026-11-20T10:00:00Z",
            "identityMap": {"ECID": [{"id": "1", "primary": True}]},
        }
    ]


def test_parquet_of_a_wrong_type_is_bad_rows(api, dataset):
    body = io.BytesIO()
    pq.write_table(pa.table({"_id": [1, 2], "timestamp": ["2026-11-20T10:00:00Z"] * 2}), body)

    batch = load(api, dataset, body.getvalue(), input_format="parquet")

    told = read(api, batch)
    assert (told["state"], told["failed_records"]) == ("failed", 2)


def test_many_rows_go_through_few_at_a_time(api, sandbox, dataset, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)
    someone = {"ECID": [{"id": "1" * 38, "primary": True}]}
    body = lines(*(event(number, identityMap=someone) for number in range(10, 41)))

    batch = load(api, dataset, body)

    assert read(api, batch)["progress"] == {"done": 0, "total": 16}
    assert len(waiting(sandbox)) == 6
    assert [row["_id"] for row in ingest(sandbox)] == [f"event-{n}" for n in range(10, 41)]
    told = read(api, batch)
    assert (told["state"], told["progress"]) == ("success", {"done": 16, "total": 16})


def test_settling_a_chunk_twice_counts_once(api, sandbox, dataset):
    batch = load(api, dataset, lines(event(1)))
    with scope(sandbox, ACTOR):
        told = outcomes(prepare(sandbox, waiting(sandbox), now=timezone.now()))
        write_receipts(sandbox, told)
        write_receipts(sandbox, told)
        state = get_receipt(sandbox, f"{batch}_000000", RefusedRecords())

    assert state.stored == 1
    assert read(api, batch)["stored_records"] == 1


def test_a_kept_number_of_bad_rows(api, dataset, monkeypatch):
    monkeypatch.setattr(diagnostics, "MOST_KEPT", 2)
    batch = load(api, dataset, lines(*({"a": n} for n in range(5))))

    kept = b"".join(api.get(f"/api/v1/batches/{batch}/errors/").streaming_content)

    assert len(kept.splitlines()) == 2
    assert read(api, batch)["failed_records"] == 5


def test_a_stored_batch_can_be_taken_back(api, sandbox, dataset):
    batch = load(api, dataset, lines(event(1)))
    ingest(sandbox)

    response = api.post(f"/api/v1/batches/{batch}/revert/")

    assert (response.status_code, response.json()["state"]) == (202, "reverting")
    (asked,) = waiting(sandbox, BATCHES_REVERTED)
    assert asked.payload == {"batch": batch, "dataset": dataset.pk}
    with scope(sandbox, ACTOR):
        finish_revert(Batch.objects.for_sandbox(sandbox).get(pk=batch))
    assert read(api, batch)["state"] == "inactive"
    assert api.post(f"/api/v1/batches/{batch}/revert/").status_code == 409


def test_a_replay_reads_the_files_again_and_takes_the_old_one_s_place(api, sandbox, dataset):
    old = load(api, dataset, lines(event(1)))
    ingest(sandbox)

    response = api.post(f"/api/v1/batches/{old}/replay/")

    assert response.status_code == 202
    new = response.json()["id"]
    assert (response.json()["replaces"], response.json()["files_of"]) == ([old], old)
    queue.drain([BATCHES_LOADED])
    assert (read(api, old)["state"], waiting(sandbox)) == ("reverting", [])
    with scope(sandbox, ACTOR):
        finish_revert(Batch.objects.for_sandbox(sandbox).get(pk=old))
    assert read(api, old)["state"] == "inactive"
    assert [row["_id"] for row in ingest(sandbox)] == ["event-1"]
    assert read(api, new)["state"] == "success"


def test_people_of_a_replay_are_there_before_those_of_the_old_batch_go(api, sandbox):
    schema = make_schema(sandbox, title="People", events=False)
    people = make_dataset(sandbox, name="People", schema=schema)
    person = {"identityMap": {"Email": [{"id": "sarah@luma.example", "primary": True}]}}
    old = load(api, people, lines(person))
    ingest(sandbox)

    new = api.post(f"/api/v1/batches/{old}/replay/").json()["id"]
    queue.drain([BATCHES_LOADED])

    assert (read(api, old)["state"], len(waiting(sandbox))) == ("success", 1)
    ingest(sandbox)
    assert (read(api, new)["state"], read(api, old)["state"]) == ("success", "reverting")


def test_a_batch_waits_until_all_whose_place_it_takes_are_gone(api, sandbox, dataset):
    first, second = (load(api, dataset, lines(event(number))) for number in (1, 2))
    ingest(sandbox)
    load(api, dataset, lines(event(1), event(2)), replaces=[first, second])

    for key, taken in ((first, []), (second, ["event-1", "event-2"])):
        with scope(sandbox, ACTOR):
            finish_revert(Batch.objects.for_sandbox(sandbox).get(pk=key))
        assert [row["_id"] for row in ingest(sandbox)] == taken


def test_a_batch_may_only_replace_batches_of_its_dataset(api, sandbox, dataset):
    other = make_dataset(sandbox, name="Other")
    theirs = start(api, other)

    response = api.post("/api/v1/batches/", {"dataset_id": dataset.pk, "replaces": [theirs]})

    assert response.status_code == 422
    assert [error["path"] for error in response.json()["errors"]] == ["replaces.0"]


@pytest.mark.acceptance("A-11")
def test_people_are_loaded_into_a_dataset_of_attributes(api, sandbox):
    schema = make_schema(sandbox, title="People", events=False)
    people = make_dataset(sandbox, name="People", schema=schema)
    body = (
        "identityMap.Email[0].id,person.name.firstName,person.birthDate\n"
        "sarah@luma.example,Sarah,1990-05-01\n"
    )

    load(api, people, body.encode(), input_format="csv")

    assert ingest(sandbox) == [
        {
            "identityMap": {"Email": [{"id": "sarah@luma.example"}]},
            "person": {"name": {"firstName": "Sarah"}, "birthDate": "1990-05-01"},
        }
    ]


def test_a_piece_sent_again_in_vain_leaves_the_one_that_is_there(api, sandbox, dataset):
    batch, whole = start(api, dataset), lines(event(1))
    url = f"/api/v1/batches/{batch}/files/big.json"
    api.post(f"{url}?action=initialize")
    told = {"HTTP_CONTENT_RANGE": f"bytes 0-{len(whole) - 1}/*"}
    assert api.generic("PATCH", url, whole, **told).status_code == 200

    for body in (whole[:5], whole + b"x"):
        assert api.generic("PATCH", url, body, **told).status_code == 400

    assert api.post(f"{url}?action=complete").status_code == 200
    complete(api, batch)
    queue.drain([BATCHES_LOADED])
    assert len(ingest(sandbox)) == 1


def stall(api, sandbox, batch, monkeypatch):
    """Complete a batch whose staging fails until it is given up."""

    def fail(*args, **kwargs):
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(batch_work, "stage", fail)
        complete(api, batch)
        with scope(sandbox, ACTOR):
            rows = QueueItem.objects.for_sandbox(sandbox).filter(topic=BATCHES_LOADED)
            rows.update(attempts=settings.QUEUE_MAX_ATTEMPTS - 1)
        queue.drain([BATCHES_LOADED], forgiving=True)
    assert read(api, batch)["state"] == "stalled"


def test_a_stalled_batch_goes_on_when_its_work_is_replayed(api, sandbox, dataset, monkeypatch):
    batch = start(api, dataset)
    put(api, batch, "rows.json", lines(event(1)))
    stall(api, sandbox, batch, monkeypatch)

    [grave] = api.get("/api/v1/buried-items/").json()["results"]
    assert api.post("/api/v1/buried-items/replay/", {"ids": [grave["id"]]}).status_code == 200
    queue.drain([BATCHES_LOADED])

    assert len(ingest(sandbox)) == 1
    assert read(api, batch)["state"] == "success"


def test_a_batch_that_ends_its_workers_can_be_given_up(api, sandbox, dataset, monkeypatch):
    batch = start(api, dataset)
    put(api, batch, "rows.json", lines(event(1)))
    complete(api, batch)
    with scope(sandbox, ACTOR):
        Batch.objects.for_sandbox(sandbox).filter(pk=batch).update(state="staging")
        rows = QueueItem.objects.for_sandbox(sandbox).filter(topic=BATCHES_LOADED)
        rows.update(deaths=settings.QUEUE_MAX_DEATHS - 1)

    queue.drain([BATCHES_LOADED])

    assert read(api, batch)["state"] == "stalled"
    assert api.post(f"/api/v1/batches/{batch}/abort/").status_code == 200


def test_small_batches_leave_room_for_what_comes_through_the_doors(api, sandbox, dataset, settings):
    settings.QUEUE_BACKLOG_LIMIT = 1_000
    inlet = make_inlet(sandbox, dataset)

    for number in range(3):
        load(api, dataset, lines(event(number), event(number + 100)))

    assert [item.count for item in waiting(sandbox)] == [2, 2, 2]
    assert send(inlet, event(9)).status_code == 200
