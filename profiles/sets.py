"""Statements on many rows at once: what a batch is made of.

Values go in as one jsonb parameter, or as one array for each column, which PostgreSQL
reads five times as fast: for rows that come by the ten thousand. So a statement costs the
same however many rows it is about.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.db import connection
from orjson import OPT_NON_STR_KEYS, dumps

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


def as_object(values: Mapping[int, int]) -> str:
    """Return numbers by number, to be looked up with `(->> number::text)::bigint`."""
    return dumps(values, option=OPT_NON_STR_KEYS).decode()


def as_object_of_arrays(values: Mapping[int, Sequence[int]]) -> str:
    """Return arrays of numbers by number, to be looked up with `(->> number::text)::bigint[]`.

    >>> as_object_of_arrays({1: [2, 3]})
    '{"1":"{2,3}"}'
    """
    return _with_arrays_as_texts(dumps(values, option=OPT_NON_STR_KEYS).decode())


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


def arrays_array(values: Iterable[Sequence[int]]) -> str:
    """Return arrays of numbers as an array of their texts: PostgreSQL's own have no ragged edge.

    >>> arrays_array([[1, 2], []])
    '{"{1,2}","{}"}'
    """
    return "{" + _with_arrays_as_texts(dumps(list(values)).decode()[1:-1]) + "}"


def _with_arrays_as_texts(json: str) -> str:
    return json.replace("[", '"{').replace("]", '}"')


def _values(sandbox: Sandbox, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"sandbox": sandbox.pk, **values}
