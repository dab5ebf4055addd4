"""Load `<app>/sql/<name>.sql`: one query per file, each of them fenced to a sandbox."""

from functools import cache
from importlib.resources import files

from cdp.clickhouse.fence import check
from cdp.clickhouse.schema import tables


@cache
def load(package: str, name: str) -> str:
    """Return the query, read and checked once.

    Raises `ValueError` if the file does not begin with a comment that says what it
    answers, and `QueryNotFenced` if it is not tied to one sandbox.
    """
    text = files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    if not text.startswith("-- "):
        raise ValueError(f"{package}/sql/{name}.sql does not say what it answers.")
    check(text, tables())
    return text
