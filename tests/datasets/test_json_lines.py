"""A row of a file is what its text says, or it is put aside."""

import pytest

from cdp.datasets.files.json_lines import read_row
from cdp.datasets.files.rows import BadRow


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (b'{"a": 18446744073709551616}', "does not fit into 64 bits"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "has the key 'c' twice"),
        (b'{"a":' * 1_000 + b"1" + b"}" * 1_000, "nests too deep"),
    ],
)
def test_a_row_that_would_be_read_otherwise_is_put_aside(text, detail):
    row = read_row(text)

    assert isinstance(row, BadRow)
    assert row.code == "inexact_row"
    assert detail in row.detail


def test_a_row_that_is_read_exactly_is_taken():
    assert read_row(b'{"a": 9007199254740993, "b": "1: 22222222222222222222"}') == {
        "a": 9007199254740993,
        "b": "1: 22222222222222222222",
    }
