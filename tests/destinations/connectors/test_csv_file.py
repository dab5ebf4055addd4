"""CSV files: what is in them, where they may lie, and that they are whole or not there."""

import csv
import stat
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.datasets.files.cells import cell
from cdp.outgoing.accounts import Account
from destinations.connectors.base import Change, DeliveryError
from destinations.connectors.csv_file.connector import CsvFileConnector
from destinations.connectors.csv_file.place import split_url
from tests.destinations.connectors.batches import batch, change

NAME = "seg_1_20260301120000_run_1.csv"


@pytest.fixture(autouse=True)
def exports(settings, tmp_path) -> Path:
    """The installation's export folder."""
    settings.EXPORT_DIR = tmp_path / "exports"
    return settings.EXPORT_DIR / "org_1" / "7"


def _connector(**settings) -> CsvFileConnector:
    given = {"url": "file:///news/daily", "delimiter": ",", "guard_formulas": True}
    return CsvFileConnector(Account({**given, **settings}, {}, "org_1/7"))


def test_a_file_holds_a_row_for_each_change(exports):
    receipt = _connector().deliver(batch(change(1), change(2, entered=False), id="run_1"))

    assert (receipt.delivered, receipt.reference) == (2, NAME)
    assert (exports / "news/daily" / NAME).read_bytes() == (
        b"profile_id,change,at,first_name,points,email\r\n"
        b"prf_1,entered,2026-03-01T12:00:01.250Z,Sarah,120.5,sarah@luma.example\r\n"
        b"prf_2,exited,2026-03-01T12:00:02.250Z,Sarah,120.5,sarah@luma.example\r\n"
    )


def test_the_delimiter_is_as_set_and_what_holds_it_is_quoted(exports):
    text = 'a;b "c"\nd'

    _connector(delimiter=";").deliver(
        batch(change(attributes={"first_name": text}, identities={}), id="run_1")
    )

    with (exports / "news/daily" / NAME).open(newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert rows[1][3:] == [text, "", ""]


def test_several_identities_share_a_cell(exports):
    _connector().deliver(
        batch(change(identities={"email": ["a@x.example", "b@x.example"]}), id="run_1")
    )

    assert b",a@x.example;b@x.example\r\n" in (exports / "news/daily" / NAME).read_bytes()


def test_a_file_written_again_is_the_same_file(exports):
    for _ in range(2):
        _connector().deliver(batch(change(), id="run_1"))

    assert [path.name for path in (exports / "news/daily").iterdir()] == [NAME]


def test_a_file_has_its_name_only_when_it_is_whole(exports):
    seen: list[list[str]] = []

    def changes() -> Iterator[Change]:
        yield change(1)
        seen.append([path.name for path in (exports / "news/daily").iterdir()])
        raise RuntimeError("the worker dies")

    with pytest.raises(RuntimeError):
        _connector().deliver(batch(id="run_1", changes=changes()))

    assert seen == [[f".{NAME}.part"]]
    assert not (exports / "news/daily" / NAME).exists()

    _connector().deliver(batch(change(1), id="run_1"))

    assert [path.name for path in (exports / "news/daily").iterdir()] == [NAME]


def test_rows_are_written_as_they_come(exports):
    """A window of a million people must not stand in memory."""
    sizes: list[int] = []

    def changes() -> Iterator[Change]:
        for number in range(2_000):
            yield change(number, attributes={"first_name": "x" * 1_000})
            if number % 500 == 499:
                part = exports / "news/daily" / f".{NAME}.part"
                sizes.append(part.stat().st_size)

    _connector().deliver(batch(id="run_1", changes=changes()))

    assert len(sizes) == 4
    assert all(size > (place + 1) * 400_000 for place, size in enumerate(sizes))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+SUM(A1)", "'+SUM(A1)"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1+1", "'\t=1+1"),
        ("\r\n=1+1", "'\r\n=1+1"),
        (" =1+1", "' =1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        (["=1+1", "x"], "=1+1;x"),
        ("+4512345678", "+4512345678"),
        ("-12.5", "-12.5"),
        (-12.5, "-12.5"),
        ("a=b", "a=b"),
        ("", ""),
        (None, ""),
        (False, "false"),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_no_text_starts_a_formula(value, expected):
    if isinstance(value, list):
        expected = f"'{expected}"

    assert cell(value) == expected


@given(st.text(alphabet=st.sampled_from("=+-@\uff1d\t\r\n 1.,a'")))
def test_text_is_written_as_it_is_or_behind_an_apostrophe_that_makes_it_text(text):
    written = cell(text)
    first = written.strip("\t\r\n ")[:1]

    assert written in {text, f"'{text}"}
    assert first not in {"=", "@", "\uff1d"}
    assert first not in {"+", "-"} or written[1:2].isdigit()


def test_readers_that_are_programs_may_have_the_text_as_it_is(exports):
    _connector(guard_formulas=False).deliver(
        batch(change(attributes={"first_name": "=1+1"}), id="run_1")
    )

    assert b",=1+1," in (exports / "news/daily" / NAME).read_bytes()


@pytest.mark.parametrize(
    "url",
    [
        "news",
        "/etc/cron.d",
        "file:///../other",
        "file:///news/../../other",
        "file:///.",
        "file:///news/%2e%2e/other",
        "file:///news\\..\\other",
        "file:///news\0",
        "file://~/news",
        "local:///etc",
        "http://169.254.169.254/latest",
        "s3://bucket/key",
        "memory://news",
        "simplecache::file:///etc",
        "zip://a::file:///etc",
    ],
)
def test_a_folder_outside_of_the_sandboxs_own_is_refused(url):
    with pytest.raises(ValueError, match=r"."):
        split_url(url)


def test_any_file_system_that_the_installation_allows_can_be_written_to(settings):
    settings.EXPORT_PROTOCOLS = ["file", "memory"]

    _connector(url="memory://bucket/news").deliver(batch(change(), id="run_1"))

    files = fsspec.filesystem("memory")
    assert files.ls("/bucket/news", detail=False) == [f"/bucket/news/{NAME}"]
    files.rm("/bucket", recursive=True)


def test_a_disk_that_refuses_is_worth_another_try_and_tells_no_inner_path(exports):
    exports.parent.mkdir(parents=True)
    exports.write_text("a file stands where the folder should")

    with pytest.raises(DeliveryError) as refused:
        _connector().deliver(batch(change(), id="run_1"))

    assert not refused.value.permanent
    assert str(exports) not in refused.value.detail


def test_the_test_leaves_nothing_behind(exports):
    found = _connector().test()

    assert found == "A file was written to file:///news/daily and removed."
    assert list((exports / "news/daily").iterdir()) == []
    assert stat.S_ISDIR((exports / "news/daily").stat().st_mode)
