"""Statements on many rows at once: what a batch is made of.

Values go in as one jsonb parameter, or as one array for each column, which PostgreSQL
reads five times as fast: for rows that come by the ten thousand. So a statement costs the
same however many rows it is about.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any, Final

from django.db import connection
from orjson import dumps

from cdp.tenancy.models import Sandbox

OWN: Final = "sandbox_id + 0 = %(sandbox)s"
"""The sandbox as a condition that no index answers, for rows that are found by their numbers.

If an index of the sandbox could be used, PostgreSQL would take it whenever it believes
the sandbox to be small, as it does of one that has grown since the last ANALYZE, and
read all of it.
"""


def select(sql: str, sandbox: Sandbox, **values: Any) -> list[tuple[Any, ...]]:
    """Return a statement's rows; `%(sandbox)s` is the sandbox."""
    with connection.cursor() as cursor:
        cursor.execute(sql, _values(sandbox, values))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def execute(sql: str, sandbox: Sandbox, **values: Any) -> int:
    """Run a statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, _values(sandbox, values))
        return int(cursor.rowcount)


def as_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows for `jsonb_to_recordset`."""
    return dumps(list(rows)).decode()


def numbers_array(values: Iterable[int | bool | None]) -> str:
    """Return numbers or truth values as an array of PostgreSQL.

    >>> numbers_array([1, None, True])
    '{1, NULL, True}'
    """
    return "{" + str(list(values))[1:-1].replace("None", "NULL") + "}"


def texts_array(values: Iterable[str]) -> str:
    r"""Return texts as an array of PostgreSQL.

    >>> print(texts_array(["a", 'b"c', "d\\e"]))
    {"a","b\"c","d\\e"}
    """
    texts = list(values)
    together = "".join(texts)
    if "\\" in together or '"' in together:  # rarely, and then each is gone through
        texts = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return '{"' + '","'.join(texts) + '"}' if texts else "{}"


def slices(values: Iterable[Sequence[int]]) -> tuple[str, str, str]:
    """Return arrays as one array, and the places of it at which each begins and ends.

    PostgreSQL knows no array of arrays of several lengths.

    >>> slices([[7, 8], [], [9]])
    ('{7, 8, 9}', '{1, 3, 3}', '{2, 2, 3}')
    """
    arrays = list(values)
    ends = list(accumulate(map(len, arrays)))
    begins = (end - len(array) + 1 for array, end in zip(arrays, ends, strict=True))
    return numbers_array(chain.from_iterable(arrays)), numbers_array(begins), numbers_array(ends)


def _values(sandbox: Sandbox, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"sandbox": sandbox.pk, **values}
