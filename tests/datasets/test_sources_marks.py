"""Which rows are new, whatever the order of values, ties and late comers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.datasets.sources import marks
from cdp.datasets.sources.marks import Mark


def read(rows, marker=(), **options):
    """Read rows of (value, content); return what was taken and the next marker."""
    mark = Mark(*marker, **options)
    taken = [row for row in rows if mark.is_new(row[0], repr(row).encode())]
    return taken, mark.next()


def test_rows_that_share_the_marks_value_are_taken_once_each():
    first, marker = read([(1, "a"), (2, "b")])

    second, marker = read([(1, "a"), (2, "b"), (2, "c")], marker)
    third, _ = read([(1, "a"), (2, "b"), (2, "c"), (3, "d")], marker)

    assert (first, second, third) == ([(1, "a"), (2, "b")], [(2, "c")], [(3, "d")])


def test_a_row_that_is_changed_within_the_marks_value_is_taken_again():
    _, marker = read([(2, "b")])

    taken, _ = read([(2, "b changed")], marker)

    assert taken == [(2, "b changed")]


def test_rows_that_are_all_alike_are_counted():
    first, marker = read([(2, "x"), (2, "x")])

    second, _ = read([(2, "x"), (2, "x"), (2, "x")], marker)

    assert (len(first), len(second)) == (2, 1)


def test_an_overlap_finds_who_appears_late():
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [(begin + timedelta(seconds=n), n) for n in range(100)]
    options = {"overlap": timedelta(seconds=10)}
    _, marker = read([row for row in rows if row[1] not in (50, 95)], **options)

    second, marker = read(rows, marker, **options)

    assert [n for _, n in second] == [95]  # 50 is older than was promised
    assert read(rows, marker, **options)[0] == []


@pytest.mark.parametrize("options", [{}, {"in_order": True}])
def test_more_ties_than_can_be_remembered_are_taken_for_one_statement(monkeypatch, options):
    monkeypatch.setattr(marks, "MOST_REMEMBERED", 3)
    ties = [(1, n) for n in range(10)]
    first, marker = read(ties, **options)
    assert (first, marker) == (ties, (1, "", 1))
    behind = [] if options else ties  # who cuts by itself gives only what is behind them

    second, marker = read(behind, marker, **options)
    third, marker = read([*behind, (2, "a")], marker, **options)
    fourth, marker = read([(2, "a"), (2, "b")], marker, **options)

    assert (second, third, fourth) == ([], [(2, "a")], [(2, "b")])


def test_ties_within_an_overlap_are_left_and_who_comes_late_behind_them_is_found(monkeypatch):
    monkeypatch.setattr(marks, "MOST_REMEMBERED", 3)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    ties = [(begin, n) for n in range(10)]
    options = {"overlap": timedelta(seconds=10)}
    _, marker = read(ties, **options)

    late = (begin + timedelta(seconds=1), "late")
    newer = (begin + timedelta(seconds=5), "newer")
    second, marker = read([*ties, newer], marker, **options)
    third, marker = read([*ties, late, newer], marker, **options)

    assert (second, third) == ([newer], [late])
    assert read([*ties, late, newer], marker, **options)[0] == []


def test_a_row_without_a_value_is_taken_always():
    _, marker = read([(None, "a"), (1, "b")])

    assert read([(None, "a"), (1, "b")], marker)[0] == [(None, "a")]


def test_an_order_that_is_not_ours_is_left_to_the_source():
    first, marker = read([("ä", 1), ("b", 2)], in_order=True)

    second, _ = read([("b", 2), ("É", 3), ("z", 4)], marker, in_order=True)

    assert (len(first), marker[0], second) == (2, "b", [("É", 3), ("z", 4)])


@given(
    rows=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=30),
    cuts=st.lists(st.integers(0, 5), max_size=5).map(sorted),
    data=st.data(),
)
@pytest.mark.parametrize("is_sorted", [True, False])
def test_however_the_readings_are_cut_each_row_is_taken_once(is_sorted, rows, cuts, data):
    """Rows appear in the order of their values, those of one value in any order and number."""
    waiting = [(value, content, number) for number, (value, content) in enumerate(rows)]
    taken, marker, visible = [], (), []
    for cut in [*cuts, 5]:
        ready = [row for row in waiting if row[0] <= cut]
        some = [row for row in ready if row[0] < cut or cut == 5 or data.draw(st.booleans())]
        visible += some
        waiting = [row for row in waiting if row not in some]
        given_rows = sorted(visible) if is_sorted else data.draw(st.permutations(visible))
        mark = Mark(*marker)
        for value, content, _ in given_rows:
            if mark.is_new(value, repr((value, content)).encode()):
                taken.append((value, content))
        marker = mark.next()

    assert sorted(taken) == sorted(rows)
