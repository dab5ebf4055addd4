import sys

import pytest

from cdp.clickhouse import sql
from cdp.clickhouse.errors import QueryNotFenced


@pytest.fixture
def package(tmp_path, monkeypatch) -> str:
    """An app with two queries."""
    name = f"app_{tmp_path.name}".replace("-", "_")
    folder = tmp_path / name / "sql"
    folder.mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    fenced = "SELECT count() FROM events WHERE sandbox_id = {sandbox:UInt32}\n"
    (folder / "good.sql").write_text(f"-- How many events?\n{fenced}")
    (folder / "silent.sql").write_text(fenced)
    (folder / "open.sql").write_text(
        "-- How many events, of everybody?\nSELECT count() FROM events\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    sys.modules.pop(name, None)


def test_a_query_is_read_from_its_file(package):
    assert sql.load(package, "good").startswith("-- How many events?\nSELECT count()")


def test_a_query_that_does_not_say_what_it_answers_is_refused(package):
    with pytest.raises(ValueError, match=r"silent\.sql does not say what it answers"):
        sql.load(package, "silent")


def test_a_query_without_the_fence_is_refused_when_it_is_loaded(package):
    with pytest.raises(QueryNotFenced, match="0 compared"):
        sql.load(package, "open")


def test_a_missing_query_is_missing(package):
    with pytest.raises(FileNotFoundError):
        sql.load(package, "missing")
