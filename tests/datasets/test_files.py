"""Files as people, and people who mean harm, really send them: read, refused, or put aside by row."""

import gzip
import io
import random
import subprocess
import sys
import zlib
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from orjson import dumps

from cdp.datasets.files.formats import read_rows
from cdp.datasets.files.rows import MOST_ROW_BYTES, BadRow, FileUnreadable

MEGABYTE = 1024 * 1024
TEXTS = ("json", "json-array", "csv")


def read(body, input_format, **options):
    return list(read_rows(io.BufferedReader(io.BytesIO(body)), input_format, options))


def refusal(body, input_format, **options):
    with pytest.raises(FileUnreadable) as caught:
        read(body, input_format, **options)
    return caught.value.code


def codes(rows):
    return [row.code if isinstance(row, BadRow) else row for row in rows]


def written(table, **options):
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def peak_of(code):
    """Return the megabytes that a process holds at most while it runs this code."""
    script = f"import resource\n{code}\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    unit = 1024 if sys.platform != "darwin" else MEGABYTE
    return int(done.stdout.splitlines()[-1]) / unit


# A base line, so that the figure is what reading takes and not what Python does.
READING = """
import io
from cdp.datasets.files.formats import read_rows
from cdp.datasets.files.rows import FileUnreadable
def read(body, input_format):
    try:
        return sum(1 for _ in read_rows(io.BufferedReader(body), input_format, {}))
    except FileUnreadable as error:
        return error.code
class Endless(io.RawIOBase):
    def __init__(self, start, filler, size):
        self.start, self.filler, self.left = start, filler, size
    def readable(self):
        return True
    def seekable(self):
        return True
    def seek(self, offset, whence=0):
        return 0
    def readinto(self, buffer):
        if self.start:
            data, self.start = self.start, b""
        else:
            data = self.filler * min(len(buffer) // len(self.filler), self.left)
            self.left -= len(data) // len(self.filler)
        buffer[: len(data)] = data
        return len(data)
"""


@pytest.mark.parametrize(
    ("input_format", "start", "filler"),
    [
        ("json", b'{"a": "', b"x"),
        ("csv", b"a,b\n", b"x"),
        ("csv", b'a,b\n"', b"x\n"),
        ("csv", b'a,b\n"', b'x","'),
        ("csv", b"a", b"a"),
        ("json-array", b'[{"a": "', b"x"),
        ("json-array", b"[", b"["),
    ],
)
def test_a_line_that_never_ends_takes_no_memory(input_format, start, filler):
    size = (100 if len(filler) == 1 else 4) * MEGABYTE // len(filler)
    code = f"{READING}\nread(Endless({start!r}, {filler!r}, {size}), {input_format!r})"

    assert peak_of(code) - peak_of(READING) < 40


def test_texts_that_fill_a_parquet_column_take_the_memory_of_one(tmp_path):
    path = tmp_path / "wide.parquet"
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 300), ["x" * 900_000])
    schema = pa.schema([("a", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        for _ in range(1):
            writer.write_table(pa.table({"a": texts.cast(pa.string())}, schema=schema))
    assert path.stat().st_size < 100_000

    code = f"{READING}\nassert read(open({str(path)!r}, 'rb', buffering=0), 'parquet') == 300"

    assert peak_of(code) - peak_of(READING) < 120


@pytest.mark.parametrize("input_format", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("packed", [False, True])
def test_other_unicodes_are_refused_by_their_name(input_format, encoding, packed):
    text = {"csv": "a,b\n1,2\n", "json": '{"a": 1}\n', "json-array": '[{"a": 1}]'}[input_format]
    body = (text if encoding != "utf-16-be" else "\ufeff" + text).encode(encoding)

    assert refusal(gzip.compress(body) if packed else body, input_format) == "wrong_encoding"


def test_a_mark_of_utf_8_is_no_part_of_the_first_name():
    assert read("\ufeffa,b\n1,2\n".encode(), "csv") == [{"a": "1", "b": "2"}]
    assert read('\ufeff{"a": 1}'.encode(), "json") == [{"a": 1}]
    assert read('\ufeff[{"a": 1}]'.encode(), "json-array") == [{"a": 1}]


def test_latin_1_is_read_if_it_is_declared_and_its_rows_are_bad_if_not():
    body = "name,city\nAda,Paris\nJosé,Cádiz\nBen,Rome\n".encode("latin-1")

    assert read(body, "csv", charset="ISO-8859-1")[1] == {"name": "José", "city": "Cádiz"}
    assert codes(read(body, "csv")) == [
        {"name": "Ada", "city": "Paris"},
        "wrong_encoding",
        {"name": "Ben", "city": "Rome"},
    ]
    assert codes(read('{"a": "é"}\n{"a": 2}'.encode("latin-1"), "json")) == [
        "unparsable_row",
        {"a": 2},
    ]


def test_rows_of_other_lengths_are_bad_and_their_neighbours_are_not():
    body = b"a,b\n1,2\n1\n1,2,3\n\n3,4\n"

    assert codes(read(body, "csv")) == [
        {"a": "1", "b": "2"},
        "wrong_column_count",
        "wrong_column_count",
        {"a": "3", "b": "4"},
    ]


def test_a_quote_that_never_closes_costs_its_row_and_not_the_file():
    filler = b"x,y\n" * (MOST_ROW_BYTES // 4)
    body = b'a,b\n1,"2\n' + filler + b"3,4\n"

    rows = codes(read(body, "csv"))

    assert rows[0] in ("row_too_large", "unparsable_row")
    assert rows[-1] == {"a": "3", "b": "4"}
    assert codes(read(b'a,b\n1,2\n3,"4', "csv")) == [{"a": "1", "b": "2"}, "unparsable_row"]


def test_a_line_that_is_too_long_is_one_bad_row_between_good_ones():
    long = b"x" * (3 * MEGABYTE)

    assert codes(read(b"a\n1\n" + long + b"\n2\n", "csv")) == [
        {"a": "1"},
        "row_too_large",
        {"a": "2"},
    ]
    body = b'{"a": 1}\n{"a": "' + long + b'"}\n{"a": 2}'
    assert codes(read(body, "json")) == [{"a": 1}, "row_too_large", {"a": 2}]
    assert refusal(b'[{"a": "' + long + b'"}]', "json-array") == "row_too_large"
    assert refusal(long + b"\n1\n", "csv") == "header_unreadable"


def test_more_fields_than_a_row_may_have_are_refused():
    many = [f"f{number}" for number in range(10_001)]

    assert refusal(",".join(many).encode(), "csv") == "too_many_fields"
    table = pa.table({name: pa.array([1], pa.int8()) for name in many})
    assert refusal(written(table), "parquet") == "too_many_fields"


def test_bombs_are_stopped_whatever_they_are_packed_in():
    bomb = gzip.compress(b" " * (200 * MEGABYTE))
    assert len(bomb) < MEGABYTE
    for input_format in TEXTS:
        assert refusal(bomb, input_format) in ("gzip_bomb", "not_an_array", "header_unreadable")
    assert refusal(bomb, "json") == "gzip_bomb"
    assert refusal(b"PK\x03\x04" + zlib.compress(b"x"), "csv") == "zip_file"
    assert refusal(bomb, "parquet") == "not_parquet"
    nested = gzip.compress(gzip.compress(b'{"a": 1}'))
    assert codes(read(nested, "json")) == ["unparsable_row"]


def test_a_packed_file_need_not_end_with_a_line_break():
    packed = gzip.compress(b'{"a": 1}\n') + gzip.compress(b'{"a": 2}')

    assert read(packed, "json") == [{"a": 1}, {"a": 2}]
    assert read(gzip.compress(b"a\n1"), "csv") == [{"a": "1"}]
    assert read(gzip.compress(b'[{"a": 1}]'), "json-array") == [{"a": 1}]


@pytest.mark.parametrize("cut", [1, 4, 8, 100, 0.5])
def test_a_truncated_parquet_is_refused(cut):
    whole = written(pa.table({"a": list(range(1_000))}))
    left = int(len(whole) * cut) if cut == 0.5 else len(whole) - cut

    assert refusal(whole[:left], "parquet") in ("not_parquet", "damaged")


def test_a_parquet_that_claims_billions_of_rows_is_refused_before_it_is_read():
    schema = pa.schema([("a", pa.null())])
    file = io.BytesIO()
    with pq.ParquetWriter(file, schema) as writer:
        for _ in range(3):
            writer.write_table(pa.table({"a": pa.nulls(1_000_000)}), row_group_size=1_000_000)

    assert refusal(file.getvalue(), "parquet") == "claims_too_much"


def test_two_columns_of_one_name_are_refused():
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])

    assert refusal(written(table), "parquet") == "header_repeats"


def test_every_kind_of_column_becomes_json():
    table = pa.table(
        {
            "text": pa.array(["x", None]),
            "words": pa.array(["w", None]).dictionary_encode(),
            "whole": pa.array([1, None]),
            "half": pa.array([1.5, None]),
            "yes": pa.array([True, None]),
            "day": pa.array([date(2026, 1, 2), None]),
            "moment": pa.array([datetime(2026, 1, 2, 3), None]),
            "hour": pa.array([time(3, 4), None]),
            "money": pa.array([Decimal("1.50"), None]),
            "bytes": pa.array([b"b", None]),
            "list": pa.array([[1, None, 2], None]),
            "fixed": pa.array([[1, 2], None], pa.list_(pa.int8(), 2)),
            "object": pa.array([{"a": "1", "b": None, "c": [{"d": 2}]}, None]),
            "map": pa.array([[("k", [1])], None], pa.map_(pa.string(), pa.list_(pa.int8()))),
        }
    )

    full, empty = read(written(table), "parquet")

    assert full == {
        "text": "x",
        "words": "w",
        "whole": 1,
        "half": 1.5,
        "yes": True,
        "day": "2026-01-02",
        "moment": "2026-01-02T03:00:00Z",
        "hour": "03:04:00",
        "money": 1.5,
        "bytes": "b",
        "list": [1, 2],
        "fixed": [1, 2],
        "object": {"a": "1", "c": [{"d": 2}]},
        "map": {"k": [1]},
    }
    assert empty == {}


def test_a_value_that_cannot_be_stored_is_a_bad_row_between_good_ones():
    table = pa.table({"a": pa.array([b"ok", b"\xff", None]), "n": [1, 2, 3]})

    first, bad, last = read(written(table), "parquet")

    assert (first, last) == ({"a": "ok", "n": 1}, {"n": 3})
    assert (bad.code, bad.raw["n"]) == ("unsupported_value", "2")


RECORDS = st.lists(
    st.fixed_dictionaries(
        {"id": st.text("ab1é", min_size=1, max_size=5)},
        optional={
            "n": st.integers(-(2**40), 2**40),
            "x": st.floats(-1e9, 1e9),
            "ok": st.booleans(),
            "o": st.fixed_dictionaries(
                {}, optional={"t": st.text(max_size=3), "i": st.integers(0, 9)}
            ),
            "l": st.lists(st.fixed_dictionaries({"k": st.text(max_size=3)}), max_size=3),
        },
    ),
    min_size=1,
    max_size=20,
)


@pytest.mark.property
@given(RECORDS)
def test_parquet_brings_back_the_rows_that_were_written(rows):
    kinds = pa.struct(
        [
            ("id", pa.string()),
            ("n", pa.int64()),
            ("x", pa.float64()),
            ("ok", pa.bool_()),
            ("o", pa.struct([("t", pa.string()), ("i", pa.int64())])),
            ("l", pa.list_(pa.struct([("k", pa.string())]))),
        ]
    )
    table = pa.Table.from_pylist(rows, schema=pa.schema(list(kinds)))

    assert read(written(table), "parquet") == rows


GOOD = {
    "json": b"\n".join(dumps({"a": n, "b": {"c": [n, None]}}) for n in range(50)),
    "json-array": dumps([{"a": n, "b": {"c": [n, '"[']}} for n in range(50)]),
    "csv": b"a,b\n" + b"".join(b'%d,"x ""%d"" y"\n' % (n, n) for n in range(50)),
    "parquet": written(pa.Table.from_pylist([{"a": f"x{n}", "b": {"c": [n]}} for n in range(50)])),
}


@pytest.mark.property
@pytest.mark.parametrize("input_format", list(GOOD))
@given(seed=st.integers(0, 2**32))
def test_a_damaged_file_is_refused_or_has_bad_rows_and_nothing_else(input_format, seed):
    draw = random.Random(seed)
    body = bytearray(GOOD[input_format])
    for _ in range(draw.randrange(1, 8)):
        body[draw.randrange(len(body))] = draw.randrange(256)
    if draw.random() < 0.3:
        del body[draw.randrange(len(body)) :]
    packed = draw.random() < 0.2
    whole = gzip.compress(bytes(body))[: -draw.randrange(1, 9)] if packed else bytes(body)

    with suppress(FileUnreadable):
        assert all(isinstance(row, dict | BadRow) for row in read(whole, input_format))
